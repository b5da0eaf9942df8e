// Files for buffers that JavaScript manages: opened here, then read or mapped into memory that
// src/mmap/ allocates.
//
// A file is an External that owns its handle. Closing it frees the handle and empties the External.
// A mapping stays in its buffer, and is watched for lost pages, until the engine frees the buffer
// (see oh_binding_openfile_map).
#include <string>
#include <utility>

#include "args.h"
#include "engine.h"
#include "handle.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct OpenFile : OwnedPointer<oh_binding_openfile, oh_binding_openfile_close> {
  static constexpr napi_type_tag kTag = {0x2f1c5a8e7d904b36, 0x9be0d37c41a6f852};
  static constexpr const char* kName = "file";
};

oh_binding_openfile* ReadFile(Napi::Value value) { return ReadHandle<OpenFile>(value)->pointer; }

Napi::Value Number(const Napi::CallbackInfo& info, uint64_t number) {
  return Napi::Number::New(info.Env(), static_cast<double>(number));
}

// The size of a file and the way to read it, in the order of src/native/mappedfile.ts. An array,
// because creating an object would cost more than finding out these facts.
void Plan(Napi::Env env, oh_binding_openfile* file, bool look, Napi::Value facts) {
  const Elements<double> plan = ReadElements<double>(facts, "facts");
  if (plan.length < 4) ThrowRange(env, "facts must have room for 4");
  uint64_t size = 0;
  size_t alignment = 0;
  oh_strategy strategy = OH_STRATEGY_AUTO;
  Check(env, oh_binding_openfile_plan(file, look, &size, &strategy, &alignment));
  plan.data[0] = static_cast<double>(size);
  plan.data[1] = static_cast<double>(strategy);
  plan.data[2] = static_cast<double>(alignment);
  plan.data[3] = static_cast<double>(PageSize());
}

// Files up to this size are read by the call that opens them: creating a handle and calling it
// would cost more than reading.
constexpr uint64_t kReadOnOpen = 1 << 20;

// The content of a small file that is opened for reading, or the handle of another file, with its
// plan. The content is written to the caller's room if it fits. Otherwise it is returned as a
// Buffer, because Node-API fills all other memory with zeros first.
Napi::Value OpenFileOpen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ReadString(info[0], "path");
  const bool writable = ReadBool(info[1], "writable");
  const uint32_t strategy = ReadU32(info[2], "strategy");
  const uint64_t buffered = ReadInteger(info[3], "bufferedUpTo");
  const uint64_t huge = ReadInteger(info[4], "hugeFrom");
  OpenFile opened;
  Check(env, oh_binding_openfile_open(path.data(), path.size(), writable, strategy, buffered, huge,
                                      &opened.pointer));
  if (!writable) {
    uint64_t size = 0;
    size_t alignment = 0;
    oh_strategy planned = OH_STRATEGY_AUTO;
    Check(env, oh_binding_openfile_plan(opened.pointer, false, &size, &planned, &alignment));
    if ((planned == OH_STRATEGY_BUFFERED || planned == OH_STRATEGY_COPY) && size <= kReadOnOpen) {
      const Bytes room = ReadBytes(info[5], "room");
      const size_t from = ReadSize(info[6], "from");
      if (from <= room.length && size <= room.length - from) {
        Check(env, oh_binding_openfile_read(opened.pointer, room.data + from, static_cast<size_t>(size)));
        return Number(info, size);
      }
      const auto content = Napi::Buffer<uint8_t>::New(env, static_cast<size_t>(size));
      Check(env, oh_binding_openfile_read(opened.pointer, content.Data(), content.Length()));
      return content;
    }
  }
  Plan(env, opened.pointer, false, info[7]);
  return NewHandle<OpenFile>(env, [&](OpenFile& made) { std::swap(made.pointer, opened.pointer); });
}

void OpenFilePlan(const Napi::CallbackInfo& info) {
  Plan(info.Env(), ReadFile(info[0]), ReadBool(info[1], "look"), info[2]);
}

void OpenFileRead(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[1], "bytes");
  Check(info.Env(), oh_binding_openfile_read(ReadFile(info[0]), bytes.data, bytes.length));
}

void OpenFileWrite(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[1], "bytes");
  Check(info.Env(), oh_binding_openfile_write(ReadFile(info[0]), bytes.data, bytes.length));
}

Napi::Value OpenFileMap(const Napi::CallbackInfo& info) {
  oh_binding_openfile* const file = ReadFile(info[0]);
  const Bytes target = ReadBytes(info[1], "target");
  const size_t capacity = ReadSize(info[2], "capacity");
  const uint32_t advice = ReadU32(info[3], "advice");
  RequireUnmapping(info.Env());
  oh_strategy strategy = OH_STRATEGY_AUTO;
  Check(info.Env(), oh_binding_openfile_map(file, target.data, capacity, target.length, &strategy));
  // A new mapping needs no advice for normal reads.
  bool taken = false;
  if (advice != OH_ADVICE_NORMAL) {
    Check(info.Env(), oh_region_advise(target.data, target.length, advice, &taken));
  }
  return Number(info, strategy);
}

Napi::Value OpenFileLost(const Napi::CallbackInfo& info) {
  const int32_t* const status = oh_binding_openfile_status(ReadFile(info[0]));
  const bool lost = status != nullptr && __atomic_load_n(status, __ATOMIC_ACQUIRE) != 0;
  return Napi::Boolean::New(info.Env(), lost);
}

void OpenFileCheck(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_binding_openfile_check(ReadFile(info[0])));
}

void OpenFileForget(const Napi::CallbackInfo& info) { oh_binding_openfile_forget(ReadFile(info[0])); }

void OpenFileSync(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_binding_openfile_sync(ReadFile(info[0])));
}

void OpenFileClose(const Napi::CallbackInfo& info) { ReadShared<OpenFile>(info[0]).reset(); }

// ---- Memory

void MemoryLock(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_memory_lock(bytes.data, bytes.length));
}

void MemoryUnlock(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_memory_unlock(bytes.data, bytes.length));
}

Napi::Value MemoryResident(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  uint64_t resident = 0;
  Check(info.Env(), oh_memory_resident(bytes.data, bytes.length, &resident));
  return Number(info, resident);
}

Napi::Value MemoryAdvise(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  bool taken = false;
  Check(info.Env(), oh_region_advise(bytes.data, bytes.length, ReadU32(info[1], "advice"), &taken));
  return Napi::Boolean::New(info.Env(), taken);
}

// Copies to `out`, whose length is the number of offsets times `length`.
void MemoryGather(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers offsets = ReadNumbers(info[1], "offsets");
  const size_t length = ReadSize(info[2], "length");
  const Bytes out = ReadBytes(info[3], "out");
  if (length != 0 && offsets.length != out.length / length) {
    ThrowRange(info.Env(), "out must have room for " + std::to_string(length) + " bytes for each offset");
  }
  Check(info.Env(), oh_memory_gather(bytes.data, bytes.length, offsets.data, offsets.type, offsets.length,
                                     length, out.data));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<OpenFileOpen>(exports, "openfileOpen");
  Export<OpenFilePlan>(exports, "openfilePlan");
  Export<OpenFileRead>(exports, "openfileRead");
  Export<OpenFileWrite>(exports, "openfileWrite");
  Export<OpenFileMap>(exports, "openfileMap");
  Export<OpenFileCheck>(exports, "openfileCheck");
  Export<OpenFileLost>(exports, "openfileLost");
  Export<OpenFileForget>(exports, "openfileForget");
  Export<OpenFileSync>(exports, "openfileSync");
  Export<OpenFileClose>(exports, "openfileClose");
  Export<MemoryGather>(exports, "memoryGather");
  Export<MemoryLock>(exports, "memoryLock");
  Export<MemoryUnlock>(exports, "memoryUnlock");
  Export<MemoryResident>(exports, "memoryResident");
  Export<MemoryAdvise>(exports, "memoryAdvise");
}

}  // namespace offheap
