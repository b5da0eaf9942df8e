// Record stores: building them, and reading records.
//
// A store and a builder are native objects with Externals, which the classes of src/compress/ keep
// private. A store reads the region that it was opened from: the caller keeps the memory of that
// region alive.
#include <string>

#include "args.h"
#include "background.h"
#include "columns.h"
#include "dictionary.h"
#include "handle.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct RecordStore : OwnedPointer<oh_recordstore, oh_recordstore_free> {
  static constexpr napi_type_tag kTag = {0x6f66666865617002, 0x7265636f72647300};
  static constexpr const char* kName = "record store";
};

struct Builder : OwnedPointer<oh_recordstore_builder, oh_recordstore_builder_free> {
  static constexpr napi_type_tag kTag = {0x6f66666865617003, 0x6275696c64657200};
  static constexpr const char* kName = "builder of a record store";
};

// ---- Builders

Napi::Value NewBuilder(const Napi::CallbackInfo& info) {
  const Shared<Dictionary> dictionary = ReadHandle<Dictionary>(info[0]);
  const uint32_t level = ReadU32(info[1], "level");
  return NewHandle<Builder>(info.Env(), [&](Builder& made) {
    Check(info.Env(), oh_recordstore_builder_new(dictionary->pointer, level, &made.pointer));
  });
}

// One call at a time: the caller waits for the promise.
Napi::Value Push(const Napi::CallbackInfo& info) {
  const Shared<Builder> builder = ReadHandle<Builder>(info[0]);
  const Bytes text = ReadBytes(info[1], "text");
  const Elements<double> ends = ReadElements<double>(info[2], "ends");
  return RunInBackground(
      info.Env(), "offheap.compress", {info[1], info[2]}, [builder, text, ends](bool* finished) {
        *finished = true;
        return oh_recordstore_builder_push(builder->pointer, text.data, text.length, ends.data, ends.length);
      });
}

Napi::Value Adapt(const Napi::CallbackInfo& info) {
  const Shared<Builder> builder = ReadHandle<Builder>(info[0]);
  const Shared<Dictionary> dictionary = ReadHandle<Dictionary>(info[1]);
  const Bytes text = ReadBytes(info[2], "text");
  const Elements<double> ends = ReadElements<double>(info[3], "ends");
  oh_control* control = ReadControl(info[4]);
  return RunInBackground(info.Env(), "offheap.adapt", {info[2], info[3], info[4]},
                         [builder, dictionary, text, ends, control](bool* changed) {
                           return oh_recordstore_builder_adapt(builder->pointer, dictionary->pointer,
                                                               text.data, text.length, ends.data, ends.length,
                                                               control, changed);
                         });
}

Napi::Value BuilderLength(const Napi::CallbackInfo& info) {
  uint64_t length = 0;
  Check(info.Env(), oh_recordstore_builder_region_size(ReadHandle<Builder>(info[0])->pointer, &length));
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

Napi::Value Write(const Napi::CallbackInfo& info) {
  const Shared<Builder> builder = ReadHandle<Builder>(info[0]);
  const Bytes bytes = ReadBytes(info[1], "bytes");
  return RunInBackground(info.Env(), "offheap.write", {info[1]}, [builder, bytes](bool* finished) {
    *finished = true;
    return oh_recordstore_builder_write(builder->pointer, bytes.data, bytes.length);
  });
}

// Releases the memory now, rather than when the External is collected.
void FreeBuilder(const Napi::CallbackInfo& info) { ReadShared<Builder>(info[0]).reset(); }

// ---- Stores

Napi::Value Open(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  return NewHandle<RecordStore>(info.Env(), [&](RecordStore& made) {
    Check(info.Env(), oh_recordstore_open(bytes.data, bytes.length, &made.pointer));
  });
}

Napi::Value Get(const Napi::CallbackInfo& info) {
  const oh_recordstore* const records = ReadTrustedHandle<RecordStore>(info[0]).pointer;
  const uint64_t index = ReadInteger(info[1], "index");
  const Bytes out = ReadOutFrom(info[2], info[3]);
  size_t written = 0;
  const oh_status status = oh_recordstore_get(records, index, out.data, out.length, &written);
  return Written(info.Env(), status, written);
}

// Bytes as a string: UTF-8, with U+FFFD for each invalid byte.
Napi::Value Text(Napi::Env env, const uint8_t* data, size_t length) {
  bool ascii = true;
  for (size_t i = 0; i < length && ascii; i++) ascii = data[i] < 0x80;
  napi_value text = nullptr;
  const char* from = reinterpret_cast<const char*>(data);
  const napi_status status = ascii ? napi_create_string_latin1(env, from, length, &text)
                                   : napi_create_string_utf8(env, from, length, &text);
  if (status != napi_ok) {
    ThrowRange(env, "a record of " + std::to_string(length) + " bytes is too long for a string");
  }
  return Napi::Value(env, text);
}

Napi::Value GetString(const Napi::CallbackInfo& info) {
  const oh_recordstore* const records = ReadTrustedHandle<RecordStore>(info[0]).pointer;
  const uint64_t index = ReadInteger(info[1], "index");
  const Bytes out = ReadBytes(info[2], "out");
  size_t written = 0;
  const oh_status status = oh_recordstore_get(records, index, out.data, out.length, &written);
  if (status == OH_ERR_FULL) return Napi::Number::New(info.Env(), -1);
  Check(info.Env(), status);
  return Text(info.Env(), out.data, written);
}

Napi::Value GetMany(const Napi::CallbackInfo& info) {
  const oh_recordstore* const records = ReadTrustedHandle<RecordStore>(info[0]).pointer;
  const Elements<double> indices = ReadElements<double>(info[1], "indices");
  const Elements<double> ends = ReadElements<double>(info[2], "ends");
  const Bytes out = ReadBytes(info[3], "out");
  RequireLength(info.Env(), "ends", ends.length, indices.length);
  size_t written = 0;
  const oh_status status = oh_recordstore_get_many(records, indices.data, indices.length, ends.data, out.data,
                                                   out.length, &written);
  return Written(info.Env(), status, written);
}

void Validate(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_recordstore_validate(ReadHandle<RecordStore>(info[0])->pointer));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<NewBuilder>(exports, "recordstoreBuilderNew");
  Export<Push>(exports, "recordstoreBuilderPush");
  Export<Adapt>(exports, "recordstoreBuilderAdapt");
  Export<BuilderLength>(exports, "recordstoreBuilderRegionSize");
  Export<Write>(exports, "recordstoreBuilderWrite");
  Export<FreeBuilder>(exports, "recordstoreBuilderFree");
  Export<Open>(exports, "recordstoreOpen");
  Export<Get>(exports, "recordstoreGet");
  Export<GetString>(exports, "recordstoreGetString");
  Export<GetMany>(exports, "recordstoreGetMany");
  Export<Validate>(exports, "recordstoreValidate");
}

}  // namespace offheap
