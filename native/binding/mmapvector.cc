// The file of a vector, whose elements are in a buffer that JavaScript manages (src/mmap/).
//
// Commits run on this thread or in libuv's pool, one at a time and in the order in which they were
// requested. A commit that runs after a later one does nothing, because the later one has committed
// all of its elements. Closing waits for the running commit.
#include <cstdint>
#include <mutex>
#include <string>

#include "args.h"
#include "background.h"
#include "engine.h"
#include "handle.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

class VectorFile {
 public:
  static constexpr napi_type_tag kTag = {0x6d83e09b5f2147ac, 0xa4c7710e93bd586f};
  static constexpr const char* kName = "vector file";

  oh_binding_vectorfile* file = nullptr;
  VectorFile() = default;
  VectorFile(const VectorFile&) = delete;
  VectorFile& operator=(const VectorFile&) = delete;
  ~VectorFile() { Close(); }

  // A position in the order of commits. Called on the thread of JavaScript.
  uint64_t Ticket() { return ++issued_; }

  // Called on any thread. `finished` is false if the file was closed before.
  oh_status Commit(uint64_t length, uint64_t ticket, bool* finished) {
    const std::lock_guard<std::mutex> guard(mutex_);
    *finished = ticket <= done_;
    if (*finished || file == nullptr) return OH_OK;
    const oh_status status = oh_binding_vectorfile_commit(file, length);
    if (status != OH_OK) return status;
    *finished = true;
    done_ = ticket;
    return OH_OK;
  }

  void Close() {
    const std::lock_guard<std::mutex> guard(mutex_);
    oh_binding_vectorfile_close(file);
    file = nullptr;
  }

 private:
  std::mutex mutex_;
  uint64_t issued_ = 0;
  // The ticket of the latest commit that has finished.
  uint64_t done_ = 0;
};

oh_binding_vectorfile* ReadFile(Napi::Value value) { return ReadHandle<VectorFile>(value)->file; }

Napi::Value VectorFileCreate(const Napi::CallbackInfo& info) {
  const std::string path = ReadString(info[0], "path");
  const uint32_t type = ReadU32(info[1], "type");
  return NewHandle<VectorFile>(info.Env(), [&](VectorFile& made) {
    Check(info.Env(), oh_binding_vectorfile_create(path.data(), path.size(), type, &made.file));
  });
}

Napi::Value VectorFileOpen(const Napi::CallbackInfo& info) {
  const std::string path = ReadString(info[0], "path");
  const bool writable = ReadBool(info[1], "writable");
  return NewHandle<VectorFile>(info.Env(), [&](VectorFile& made) {
    Check(info.Env(), oh_binding_vectorfile_open(path.data(), path.size(), writable, &made.file));
  });
}

Napi::Value VectorFileDescribe(const Napi::CallbackInfo& info) {
  oh_binding_vectorfile_info about;
  Check(info.Env(), oh_binding_vectorfile_get_info(ReadFile(info[0]), &about));
  Napi::Object description = Napi::Object::New(info.Env());
  description.Set("type", static_cast<double>(about.element_type));
  description.Set("recovered", about.recovered);
  description.Set("committed", static_cast<double>(about.committed));
  description.Set("page", static_cast<double>(PageSize()));
  return description;
}

void VectorFileMap(const Napi::CallbackInfo& info) {
  oh_binding_vectorfile* const file = ReadFile(info[0]);
  const Bytes target = ReadBytes(info[1], "target");
  const size_t capacity = ReadSize(info[2], "capacity");
  RequireUnmapping(info.Env());
  Check(info.Env(), oh_binding_vectorfile_map(file, target.data, capacity, ReadInteger(info[3], "length")));
}

Napi::Value VectorFileLost(const Napi::CallbackInfo& info) {
  const int32_t* const status = oh_binding_vectorfile_status(ReadFile(info[0]));
  const bool lost = status != nullptr && __atomic_load_n(status, __ATOMIC_ACQUIRE) != 0;
  return Napi::Boolean::New(info.Env(), lost);
}

void VectorFileForget(const Napi::CallbackInfo& info) { oh_binding_vectorfile_forget(ReadFile(info[0])); }

void VectorFileCommit(const Napi::CallbackInfo& info) {
  const Shared<VectorFile>& file = ReadHandle<VectorFile>(info[0]);
  const uint64_t length = ReadInteger(info[1], "length");
  bool finished = false;
  Check(info.Env(), file->Commit(length, file->Ticket(), &finished));
}

Napi::Value VectorFileCommitAsync(const Napi::CallbackInfo& info) {
  const Shared<VectorFile> file = ReadHandle<VectorFile>(info[0]);
  const uint64_t length = ReadInteger(info[1], "length");
  const uint64_t ticket = file->Ticket();
  return RunInBackground(info.Env(), "offheap:flush", {info[0]}, [file, length, ticket](bool* finished) {
    return file->Commit(length, ticket, finished);
  });
}

void VectorFileDiscard(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_binding_vectorfile_discard(ReadFile(info[0]), ReadInteger(info[1], "length")));
}

Napi::Value VectorFileRefresh(const Napi::CallbackInfo& info) {
  uint64_t committed = 0;
  Check(info.Env(), oh_binding_vectorfile_refresh(ReadFile(info[0]), &committed));
  return Napi::Number::New(info.Env(), static_cast<double>(committed));
}

void VectorFileValidate(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_binding_vectorfile_validate(ReadFile(info[0])));
}

void VectorFileClose(const Napi::CallbackInfo& info) {
  Shared<VectorFile>& shared = ReadShared<VectorFile>(info[0]);
  if (shared != nullptr) shared->Close();
  shared.reset();
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<VectorFileCreate>(exports, "vectorfileCreate");
  Export<VectorFileOpen>(exports, "vectorfileOpen");
  Export<VectorFileDescribe>(exports, "vectorfileInfo");
  Export<VectorFileMap>(exports, "vectorfileMap");
  Export<VectorFileLost>(exports, "vectorfileLost");
  Export<VectorFileForget>(exports, "vectorfileForget");
  Export<VectorFileCommit>(exports, "vectorfileCommit");
  Export<VectorFileCommitAsync>(exports, "vectorfileCommitAsync");
  Export<VectorFileDiscard>(exports, "vectorfileDiscard");
  Export<VectorFileRefresh>(exports, "vectorfileRefresh");
  Export<VectorFileValidate>(exports, "vectorfileValidate");
  Export<VectorFileClose>(exports, "vectorfileClose");
}

}  // namespace offheap
