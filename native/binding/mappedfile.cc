// Files for buffers that JavaScript manages: opened here, read into or laid into memory that src/mmap/
// allocates.
//
// A file is an External that owns its handle. Closing it frees the handle and leaves the External empty; what
// was laid into a buffer stays there until the engine frees the buffer, watched for lost pages as long (see
// oh_openfile_map).
#include <string>

#include "args.h"
#include "engine.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

template <typename T>
struct Kind;

template <>
struct Kind<oh_openfile> {
  static constexpr napi_type_tag tag = {0x2f1c5a8e7d904b36, 0x9be0d37c41a6f852};
  static constexpr const char* what = "file";
  static void Close(oh_openfile* file) { oh_openfile_close(file); }
};

template <>
struct Kind<oh_vectorfile> {
  static constexpr napi_type_tag tag = {0x6d83e09b5f2147ac, 0xa4c7710e93bd586f};
  static constexpr const char* what = "vector file";
  static void Close(oh_vectorfile* file) { oh_vectorfile_close(file); }
};

// What an External points to: null once it was closed.
template <typename T>
struct Slot {
  T* file = nullptr;
  ~Slot() { Kind<T>::Close(file); }
};

template <typename T>
Napi::Value HandOut(Napi::Env env, Slot<T>* slot) {
  const auto external =
      Napi::External<Slot<T>>::New(env, slot, [](Napi::BasicEnv, Slot<T>* old) { delete old; });
  external.TypeTag(&Kind<T>::tag);
  return external;
}

template <typename T>
Slot<T>* ReadSlot(Napi::Value value) {
  const auto wrong = [&] { ThrowType(value.Env(), std::string("this is no ") + Kind<T>::what); };
  if (!value.IsExternal()) wrong();
  const auto external = value.As<Napi::External<Slot<T>>>();
  if (!external.CheckTypeTag(&Kind<T>::tag)) wrong();
  return external.Data();
}

template <typename T>
T* ReadFile(Napi::Value value) {
  T* const file = ReadSlot<T>(value)->file;
  if (file == nullptr) {
    const Napi::Env env = value.Env();
    throw Napi::Error(env,
                      MakeError(env, OH_ERR_CLOSED, std::string("the ") + Kind<T>::what + " was closed"));
  }
  return file;
}

template <typename T>
void Close(const Napi::CallbackInfo& info) {
  Slot<T>* const slot = ReadSlot<T>(info[0]);
  Kind<T>::Close(slot->file);
  slot->file = nullptr;
}

Napi::Value Number(const Napi::CallbackInfo& info, uint64_t number) {
  return Napi::Number::New(info.Env(), static_cast<double>(number));
}

void CheckEngine(Napi::Env env) {
  if (!EngineUnmaps(env)) {
    throw Napi::Error(
        env, MakeError(env, OH_ERR_UNSUPPORTED, "this runtime has no memory that a file can be laid into"));
  }
}

// ---- any file

Napi::Object Plan(Napi::Env env, oh_openfile* file, bool look) {
  uint64_t size = 0;
  size_t alignment = 0;
  oh_strategy strategy = OH_STRATEGY_AUTO;
  Check(env, oh_openfile_plan(file, look, &size, &strategy, &alignment));
  Napi::Object plan = Napi::Object::New(env);
  plan.Set("size", static_cast<double>(size));
  plan.Set("strategy", static_cast<double>(strategy));
  plan.Set("alignment", static_cast<double>(alignment));
  plan.Set("page", static_cast<double>(PageSize()));
  return plan;
}

Napi::Value OpenFileOpen(const Napi::CallbackInfo& info) {
  const std::string path = ReadString(info[0], "path");
  const bool writable = ReadBool(info[1], "writable");
  const uint32_t strategy = ReadU32(info[2], "strategy");
  const uint64_t buffered = ReadInteger(info[3], "bufferedUpTo");
  const uint64_t huge = ReadInteger(info[4], "hugeFrom");
  auto* const slot = new Slot<oh_openfile>();
  const Napi::Value file = HandOut(info.Env(), slot);
  Check(info.Env(),
        oh_openfile_open(path.data(), path.size(), writable, strategy, buffered, huge, &slot->file));
  return file;
}

Napi::Value OpenFilePlan(const Napi::CallbackInfo& info) {
  return Plan(info.Env(), ReadFile<oh_openfile>(info[0]), ReadBool(info[1], "look"));
}

void OpenFileRead(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[1], "bytes");
  Check(info.Env(), oh_openfile_read(ReadFile<oh_openfile>(info[0]), bytes.data, bytes.length));
}

void OpenFileWrite(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[1], "bytes");
  Check(info.Env(), oh_openfile_write(ReadFile<oh_openfile>(info[0]), bytes.data, bytes.length));
}

Napi::Value OpenFileMap(const Napi::CallbackInfo& info) {
  oh_openfile* const file = ReadFile<oh_openfile>(info[0]);
  const Bytes target = ReadBytes(info[1], "target");
  const size_t capacity = ReadSize(info[2], "capacity");
  CheckEngine(info.Env());
  oh_strategy strategy = OH_STRATEGY_AUTO;
  Check(info.Env(), oh_openfile_map(file, target.data, capacity, target.length, &strategy));
  return Number(info, strategy);
}

Napi::Value OpenFileLost(const Napi::CallbackInfo& info) {
  const int32_t* const status = oh_openfile_status(ReadFile<oh_openfile>(info[0]));
  const bool lost = status != nullptr && __atomic_load_n(status, __ATOMIC_ACQUIRE) != 0;
  return Napi::Boolean::New(info.Env(), lost);
}

void OpenFileCheck(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_openfile_check(ReadFile<oh_openfile>(info[0])));
}

void OpenFileForget(const Napi::CallbackInfo& info) { oh_openfile_forget(ReadFile<oh_openfile>(info[0])); }

void OpenFileSync(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_openfile_sync(ReadFile<oh_openfile>(info[0])));
}

void OpenFileClose(const Napi::CallbackInfo& info) { Close<oh_openfile>(info); }

// ---- memory

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

// How many bytes after the view's first one the next multiple of `alignment` is.
Napi::Value MemoryAlign(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const size_t alignment = ReadSize(info[1], "alignment");
  if (alignment == 0) ThrowRange(info.Env(), "alignment must not be 0");
  const size_t past = reinterpret_cast<uintptr_t>(bytes.data) % alignment;
  return Number(info, past == 0 ? 0 : alignment - past);
}

// ---- the file of a vector

Napi::Value VectorFileCreate(const Napi::CallbackInfo& info) {
  const std::string path = ReadString(info[0], "path");
  const uint32_t type = ReadU32(info[1], "type");
  auto* const slot = new Slot<oh_vectorfile>();
  const Napi::Value file = HandOut(info.Env(), slot);
  Check(info.Env(), oh_vectorfile_create(path.data(), path.size(), type, &slot->file));
  return file;
}

Napi::Value VectorFileOpen(const Napi::CallbackInfo& info) {
  const std::string path = ReadString(info[0], "path");
  const bool writable = ReadBool(info[1], "writable");
  auto* const slot = new Slot<oh_vectorfile>();
  const Napi::Value file = HandOut(info.Env(), slot);
  Check(info.Env(), oh_vectorfile_open(path.data(), path.size(), writable, &slot->file));
  return file;
}

Napi::Value VectorFileDescribe(const Napi::CallbackInfo& info) {
  oh_vectorfile_info about;
  Check(info.Env(), oh_vectorfile_describe(ReadFile<oh_vectorfile>(info[0]), &about));
  Napi::Object description = Napi::Object::New(info.Env());
  description.Set("type", static_cast<double>(about.element_type));
  description.Set("recovered", about.recovered);
  description.Set("committed", static_cast<double>(about.committed));
  return description;
}

void VectorFileMap(const Napi::CallbackInfo& info) {
  oh_vectorfile* const file = ReadFile<oh_vectorfile>(info[0]);
  const Bytes target = ReadBytes(info[1], "target");
  const size_t capacity = ReadSize(info[2], "capacity");
  CheckEngine(info.Env());
  Check(info.Env(), oh_vectorfile_map(file, target.data, capacity, ReadInteger(info[3], "length")));
}

Napi::Value VectorFileLost(const Napi::CallbackInfo& info) {
  const int32_t* const status = oh_vectorfile_status(ReadFile<oh_vectorfile>(info[0]));
  const bool lost = status != nullptr && __atomic_load_n(status, __ATOMIC_ACQUIRE) != 0;
  return Napi::Boolean::New(info.Env(), lost);
}

void VectorFileForget(const Napi::CallbackInfo& info) {
  oh_vectorfile_forget(ReadFile<oh_vectorfile>(info[0]));
}

void VectorFileCommit(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_vectorfile_commit(ReadFile<oh_vectorfile>(info[0]), ReadInteger(info[1], "length")));
}

Napi::Value VectorFileRefresh(const Napi::CallbackInfo& info) {
  uint64_t committed = 0;
  Check(info.Env(), oh_vectorfile_refresh(ReadFile<oh_vectorfile>(info[0]), &committed));
  return Number(info, committed);
}

void VectorFileValidate(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_vectorfile_validate(ReadFile<oh_vectorfile>(info[0])));
}

void VectorFileClose(const Napi::CallbackInfo& info) { Close<oh_vectorfile>(info); }

}  // namespace

void InitMappedFile(Napi::Object exports) {
  Export<OpenFileOpen>(exports, "openFileOpen");
  Export<OpenFilePlan>(exports, "openFilePlan");
  Export<OpenFileRead>(exports, "openFileRead");
  Export<OpenFileWrite>(exports, "openFileWrite");
  Export<OpenFileMap>(exports, "openFileMap");
  Export<OpenFileCheck>(exports, "openFileCheck");
  Export<OpenFileLost>(exports, "openFileLost");
  Export<OpenFileForget>(exports, "openFileForget");
  Export<OpenFileSync>(exports, "openFileSync");
  Export<OpenFileClose>(exports, "openFileClose");
  Export<MemoryAlign>(exports, "memoryAlign");
  Export<MemoryLock>(exports, "memoryLock");
  Export<MemoryUnlock>(exports, "memoryUnlock");
  Export<MemoryResident>(exports, "memoryResident");
  Export<MemoryAdvise>(exports, "memoryAdvise");
  Export<VectorFileCreate>(exports, "vectorFileCreate");
  Export<VectorFileOpen>(exports, "vectorFileOpen");
  Export<VectorFileDescribe>(exports, "vectorFileDescribe");
  Export<VectorFileMap>(exports, "vectorFileMap");
  Export<VectorFileLost>(exports, "vectorFileLost");
  Export<VectorFileForget>(exports, "vectorFileForget");
  Export<VectorFileCommit>(exports, "vectorFileCommit");
  Export<VectorFileRefresh>(exports, "vectorFileRefresh");
  Export<VectorFileValidate>(exports, "vectorFileValidate");
  Export<VectorFileClose>(exports, "vectorFileClose");
}

}  // namespace offheap
