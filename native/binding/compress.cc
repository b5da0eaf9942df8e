// Dictionaries, compression, and stores of records.
//
// A prepared dictionary, a store and a builder are native objects, behind externals that the
// classes of src/compress/ keep to themselves. An external names its type, so that a wrong one is
// an error and not a crash. A store reads the region that it was opened from: whoever calls holds
// that region's memory.
#include <cstring>
#include <memory>
#include <string>

#include "args.h"
#include "background.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

void Free(oh_dictionary* dictionary) { oh_dictionary_free(dictionary); }
void Free(oh_recordstore* records) { oh_recordstore_free(records); }
void Free(oh_recordstore_builder* builder) { oh_recordstore_builder_free(builder); }

template <typename T>
struct TypeTag;
template <>
struct TypeTag<oh_dictionary> {
  static constexpr napi_type_tag value = {0x6f66666865617001, 0x64696374696f6e61};
};
template <>
struct TypeTag<oh_recordstore> {
  static constexpr napi_type_tag value = {0x6f66666865617002, 0x7265636f72647300};
};
template <>
struct TypeTag<oh_recordstore_builder> {
  static constexpr napi_type_tag value = {0x6f66666865617003, 0x6275696c64657200};
};

// What an external points to. Work in the background shares it, so that it outlives an external
// that is collected.
template <typename T>
struct Holder {
  T* handle = nullptr;
  Holder() = default;
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { Free(handle); }
};

template <typename T>
using Shared = std::shared_ptr<Holder<T>>;

template <typename T>
Napi::Value Wrap(Napi::Env env, Shared<T> holder) {
  auto owned = std::make_unique<Shared<T>>(std::move(holder));
  Napi::External<Shared<T>> external =
      Napi::External<Shared<T>>::New(env, owned.get(), [](Napi::Env, Shared<T>* data) { delete data; });
  owned.release();
  if (napi_type_tag_object(env, external, &TypeTag<T>::value) != napi_ok) {
    throw Napi::Error(env, MakeError(env, OH_ERR_NATIVE, "an external can not be tagged"));
  }
  return external;
}

template <typename T>
Shared<T>& Unwrap(Napi::Value value) {
  bool right = false;
  void* data = nullptr;
  if (!value.IsExternal() ||
      napi_check_object_type_tag(value.Env(), value, &TypeTag<T>::value, &right) != napi_ok || !right ||
      napi_get_value_external(value.Env(), value, &data) != napi_ok) {
    ThrowType(value.Env(), "this is no handle of the library's");
  }
  return *static_cast<Shared<T>*>(data);
}

// For the hot paths, whose handles the classes vouch for: without the tag, whose check costs as
// much as a read.
template <typename T>
T* Handle(Napi::Value value) {
  void* data = nullptr;
  if (napi_get_value_external(value.Env(), value, &data) != napi_ok) {
    ThrowType(value.Env(), "this is no handle of the library's");
  }
  return (*static_cast<Shared<T>*>(data))->handle;
}

// ---- dictionaries

// A handle that training fills.
Napi::Value New(const Napi::CallbackInfo& info) {
  return Wrap(info.Env(), std::make_shared<Holder<oh_dictionary>>());
}

Napi::Value Train(const Napi::CallbackInfo& info) {
  const Shared<oh_dictionary> holder = Unwrap<oh_dictionary>(info[0]);
  const Bytes text = ReadBytes(info[1], "text");
  const Elements<double> ends = ReadElements<double>(info[2], "ends");
  const size_t most = ReadSize(info[3], "maxBytes");
  oh_control* control = ReadControl(info[4]);
  return RunInBackground(info.Env(), "offheap.train", {info[1], info[2], info[4]},
                         [holder, text, ends, most, control](bool* finished) {
                           oh_dictionary* made = nullptr;
                           const oh_status status = oh_dictionary_train(text.data, text.length, ends.data,
                                                                        ends.length, most, control, &made);
                           if (status == OH_OK && made != nullptr) {
                             holder->handle = made;
                             *finished = true;
                           }
                           return status;
                         });
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  auto holder = std::make_shared<Holder<oh_dictionary>>();
  Check(info.Env(), oh_dictionary_open(bytes.data, bytes.length, &holder->handle));
  return Wrap(info.Env(), std::move(holder));
}

oh_dictionary_info Describe(const Napi::CallbackInfo& info) {
  oh_dictionary_info described = {};
  Check(info.Env(), oh_dictionary_get_info(Unwrap<oh_dictionary>(info[0])->handle, &described));
  return described;
}

Napi::Value Length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Describe(info).region_size));
}

void Copy(const Napi::CallbackInfo& info) {
  const oh_dictionary_info described = Describe(info);
  const Bytes out = ReadBytes(info[1], "out");
  if (out.length < described.region_size) ThrowRange(info.Env(), "out is too short for the dictionary");
  std::memcpy(out.data, described.bytes, described.region_size);
}

Napi::Value Stats(const Napi::CallbackInfo& info) {
  const oh_dictionary_info described = Describe(info);
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("identity", Napi::BigInt::New(info.Env(), described.identity));
  stats.Set("content", static_cast<double>(described.content));
  stats.Set("phrases", static_cast<double>(described.phrases));
  stats.Set("contexts", static_cast<double>(described.contexts));
  return stats;
}

void ValidateDictionary(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_dictionary_validate(Unwrap<oh_dictionary>(info[0])->handle));
}

// What is left of `out` from `at` on. It may have been detached since `at` was chosen.
Bytes ReadRoom(Napi::Value value, Napi::Value offset) {
  const Bytes out = ReadBytes(value, "out");
  const size_t at = ReadSize(offset, "at");
  if (at > out.length) ThrowRange(value.Env(), "there is no such place in out");
  return {out.data + at, out.length - at};
}

// Bytes that lie in the room for the result: somebody laid an array over the buffer of an earlier
// one.
bool Overlap(const Bytes& bytes, const Bytes& out) {
  const auto a = reinterpret_cast<uintptr_t>(bytes.data);
  const auto b = reinterpret_cast<uintptr_t>(out.data);
  return a < b + out.length && b < a + bytes.length;
}

Napi::Value Compress(const Napi::CallbackInfo& info) {
  const oh_dictionary* dictionary = Handle<oh_dictionary>(info[0]);
  const uint32_t level = ReadU32(info[1], "level");
  const Bytes text = ReadBytes(info[2], "bytes");
  const Bytes out = ReadRoom(info[3], info[4]);
  if (out.length <= text.length || Overlap(text, out)) return Napi::Number::New(info.Env(), -1);
  size_t written = 0;
  Check(info.Env(), oh_compress(dictionary, level, text.data, text.length, out.data, out.length, &written));
  return Napi::Number::New(info.Env(), static_cast<double>(written));
}

// How many bytes were written, or -1 where `out` is too short.
Napi::Value Written(Napi::Env env, oh_status status, size_t written) {
  if (status == OH_ERR_FULL) return Napi::Number::New(env, -1);
  Check(env, status);
  return Napi::Number::New(env, static_cast<double>(written));
}

Napi::Value Decompress(const Napi::CallbackInfo& info) {
  const oh_dictionary* dictionary = Handle<oh_dictionary>(info[0]);
  const Bytes bytes = ReadBytes(info[1], "bytes");
  const Bytes out = ReadRoom(info[2], info[3]);
  if (Overlap(bytes, out)) return Napi::Number::New(info.Env(), -1);
  size_t written = 0;
  const oh_status status =
      oh_decompress(dictionary, bytes.data, bytes.length, out.data, out.length, &written);
  return Written(info.Env(), status, written);
}

// ---- building stores

Napi::Value Begin(const Napi::CallbackInfo& info) {
  auto holder = std::make_shared<Holder<oh_recordstore_builder>>();
  Check(info.Env(), oh_recordstore_builder_new(Unwrap<oh_dictionary>(info[0])->handle,
                                               ReadU32(info[1], "level"), &holder->handle));
  return Wrap(info.Env(), std::move(holder));
}

// One piece of work at a time: the caller waits for the promise.
Napi::Value Push(const Napi::CallbackInfo& info) {
  const Shared<oh_recordstore_builder> holder = Unwrap<oh_recordstore_builder>(info[0]);
  const Bytes text = ReadBytes(info[1], "text");
  const Elements<double> ends = ReadElements<double>(info[2], "ends");
  return RunInBackground(
      info.Env(), "offheap.compress", {info[1], info[2]}, [holder, text, ends](bool* finished) {
        *finished = true;
        return oh_recordstore_builder_push(holder->handle, text.data, text.length, ends.data, ends.length);
      });
}

Napi::Value Adapt(const Napi::CallbackInfo& info) {
  const Shared<oh_recordstore_builder> holder = Unwrap<oh_recordstore_builder>(info[0]);
  const Shared<oh_dictionary> dictionary = Unwrap<oh_dictionary>(info[1]);
  const Bytes text = ReadBytes(info[2], "text");
  const Elements<double> ends = ReadElements<double>(info[3], "ends");
  oh_control* control = ReadControl(info[4]);
  return RunInBackground(info.Env(), "offheap.adapt", {info[2], info[3], info[4]},
                         [holder, dictionary, text, ends, control](bool* changed) {
                           return oh_recordstore_builder_adapt(holder->handle, dictionary->handle, text.data,
                                                               text.length, ends.data, ends.length, control,
                                                               changed);
                         });
}

Napi::Value BuilderLength(const Napi::CallbackInfo& info) {
  uint64_t length = 0;
  Check(info.Env(),
        oh_recordstore_builder_region_size(Unwrap<oh_recordstore_builder>(info[0])->handle, &length));
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

Napi::Value Write(const Napi::CallbackInfo& info) {
  const Shared<oh_recordstore_builder> holder = Unwrap<oh_recordstore_builder>(info[0]);
  const Bytes bytes = ReadBytes(info[1], "bytes");
  return RunInBackground(info.Env(), "offheap.write", {info[1]}, [holder, bytes](bool* finished) {
    *finished = true;
    return oh_recordstore_builder_write(holder->handle, bytes.data, bytes.length);
  });
}

// Gives the memory back now, rather than when the external is collected.
void Drop(const Napi::CallbackInfo& info) {
  const Shared<oh_recordstore_builder> holder = Unwrap<oh_recordstore_builder>(info[0]);
  Free(holder->handle);
  holder->handle = nullptr;
}

// ---- reading stores

Napi::Value OpenRecords(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  auto holder = std::make_shared<Holder<oh_recordstore>>();
  Check(info.Env(), oh_recordstore_open(bytes.data, bytes.length, &holder->handle));
  return Wrap(info.Env(), std::move(holder));
}

Napi::Value Get(const Napi::CallbackInfo& info) {
  const oh_recordstore* records = Handle<oh_recordstore>(info[0]);
  const uint64_t index = ReadInteger(info[1], "index");
  const Bytes out = ReadRoom(info[2], info[3]);
  size_t written = 0;
  const oh_status status = oh_recordstore_get(records, index, out.data, out.length, &written);
  return Written(info.Env(), status, written);
}

// The first bytes of `out` as a string: UTF-8, each wrong byte as U+FFFD.
Napi::Value Text(Napi::Env env, const uint8_t* data, size_t length) {
  bool ascii = true;
  for (size_t i = 0; i < length && ascii; i++) ascii = data[i] < 0x80;
  napi_value text = nullptr;
  const char* from = reinterpret_cast<const char*>(data);
  const napi_status status = ascii ? napi_create_string_latin1(env, from, length, &text)
                                   : napi_create_string_utf8(env, from, length, &text);
  if (status != napi_ok)
    ThrowRange(env, "a record of " + std::to_string(length) + " bytes is too long for a string");
  return Napi::Value(env, text);
}

Napi::Value GetString(const Napi::CallbackInfo& info) {
  const oh_recordstore* records = Handle<oh_recordstore>(info[0]);
  const uint64_t index = ReadInteger(info[1], "index");
  const Bytes out = ReadBytes(info[2], "out");
  size_t written = 0;
  const oh_status status = oh_recordstore_get(records, index, out.data, out.length, &written);
  if (status == OH_ERR_FULL) return Napi::Number::New(info.Env(), -1);
  Check(info.Env(), status);
  return Text(info.Env(), out.data, written);
}

Napi::Value GetMany(const Napi::CallbackInfo& info) {
  const oh_recordstore* records = Handle<oh_recordstore>(info[0]);
  const Elements<double> indices = ReadElements<double>(info[1], "indices");
  const Elements<double> ends = ReadElements<double>(info[2], "ends");
  const Bytes out = ReadBytes(info[3], "out");
  if (ends.length < indices.length) ThrowRange(info.Env(), "ends is shorter than indices");
  size_t written = 0;
  const oh_status status = oh_recordstore_get_many(records, indices.data, indices.length, ends.data, out.data,
                                                   out.length, &written);
  return Written(info.Env(), status, written);
}

void ValidateRecords(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_recordstore_validate(Unwrap<oh_recordstore>(info[0])->handle));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<New>(exports, "dictionaryNew");
  Export<Train>(exports, "dictionaryTrain");
  Export<Open>(exports, "dictionaryOpen");
  Export<Length>(exports, "dictionaryRegionSize");
  Export<Copy>(exports, "dictionaryCopy");
  Export<Stats>(exports, "dictionaryStats");
  Export<ValidateDictionary>(exports, "dictionaryValidate");
  Export<Compress>(exports, "compress");
  Export<Decompress>(exports, "decompress");
  Export<Begin>(exports, "recordstoreBuilderNew");
  Export<Push>(exports, "recordstoreBuilderPush");
  Export<Adapt>(exports, "recordstoreBuilderAdapt");
  Export<BuilderLength>(exports, "recordstoreBuilderRegionSize");
  Export<Write>(exports, "recordstoreBuilderWrite");
  Export<Drop>(exports, "recordstoreBuilderFree");
  Export<OpenRecords>(exports, "recordstoreOpen");
  Export<Get>(exports, "recordstoreGet");
  Export<GetString>(exports, "recordstoreGetString");
  Export<GetMany>(exports, "recordstoreGetMany");
  Export<ValidateRecords>(exports, "recordstoreValidate");
}

}  // namespace offheap
