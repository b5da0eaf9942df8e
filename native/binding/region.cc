// Regions: checksums, advice about memory, and mapped files as ArrayBuffers.
//
// A mapped file in JavaScript
//
//   fileMap     maps the file and makes two external ArrayBuffers: one over its bytes, one over its status
//               word, which native code sets when the file is lost.
//   fileUnmap   detaches the first: every view of it has length 0 from then on.
//   finalizers  The engine calls one for each buffer when it has let go of the memory: after a detach,
//               when the buffer was collected, or when its environment ends (a worker that exits or is
//               terminated). Only there are the bytes unmapped, by oh_file_unmap. The handle, with
//               the status word in it, goes with the later of the two, by oh_file_close.
//
// So the bytes are unmapped exactly once, and never while a view can reach them. All of this happens
// on the thread of the environment, so the count needs no atomics; each fileMap has a mapping of its
// own, and threads share none.
//
// Where the runtime refuses external buffers (Electron, V8's sandbox), the file is copied into a buffer
// of the engine's, and `copied` says so; everything else looks the same.
#include <cstring>
#include <memory>
#include <string>

#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// Marks the buffers of fileMap, so that fileUnmap detaches none of anybody else's. Random; never changes.
constexpr napi_type_tag kFileBuffer = {0x6f66668ea0d31c57, 0xb1f04c6e92d7a385};

// An open file, owned by the buffers that point into it, and by FileMap while it makes them.
struct Mapping {
  oh_file* file = nullptr;
  int owners = 1;
};

void Release(Mapping* mapping) {
  if (--mapping->owners > 0) return;
  oh_file_close(mapping->file);
  delete mapping;
}

struct Owner {
  void operator()(Mapping* mapping) const { Release(mapping); }
};

void ReleaseBytes(napi_env, void*, void* hint) {
  auto* mapping = static_cast<Mapping*>(hint);
  oh_file_unmap(mapping->file);
  Release(mapping);
}

void ReleaseStatus(napi_env, void*, void* hint) { Release(static_cast<Mapping*>(hint)); }

// An external buffer that owns a share of the mapping. When it can not be made, Node has either called the
// finalizer before it returned (the buffer was too large) or never will; the count of owners tells.
napi_status Share(Napi::Env env, Mapping* mapping, const void* data, size_t length, napi_finalize finalize,
                  napi_value* buffer) {
  const int before = mapping->owners++;
  const napi_status status =
      napi_create_external_arraybuffer(env, const_cast<void*>(data), length, finalize, mapping, buffer);
  if (status != napi_ok) mapping->owners = before;
  return status;
}

// For a Node-API call that should not fail. An exception that it left pending is the better message.
void Expect(Napi::Env env, napi_status status, const char* what) {
  if (status == napi_ok) return;
  if (env.IsExceptionPending()) throw env.GetAndClearPendingException();
  throw Napi::Error(env, MakeError(env, OH_ERR_NATIVE, std::string(what) + " failed"));
}

[[noreturn]] void ThrowTooLarge(Napi::Env env, size_t length) {
  env.GetAndClearPendingException();
  throw Napi::Error(env, MakeError(env, OH_ERR_UNSUPPORTED,
                                   "this release of Node can not hold a file of " + std::to_string(length) +
                                       " bytes in one buffer"));
}

// The bytes of the file, copied: what happens where external buffers are refused.
Napi::Value Copy(Napi::Env env, const std::string& path, oh_file* file) {
  const size_t length = oh_file_length(file);
  napi_value buffer = nullptr;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok || data == nullptr) {
    ThrowTooLarge(env, length);
  }
  std::memcpy(data, oh_file_data(file), length);
  if (oh_file_lost(file)) {
    throw Napi::Error(env, MakeError(env, OH_ERR_IO, path + " shrank while it was read"));
  }
  return Napi::Value(env, buffer);
}

Napi::Value Describe(Napi::Env env, Napi::Value buffer, Napi::Value status, bool copied) {
  Expect(env, napi_type_tag_object(env, buffer, &kFileBuffer), "marking the buffer");
  Napi::Object result = Napi::Object::New(env);
  result.Set("buffer", buffer);
  result.Set("status", status);
  result.Set("copied", copied);
  return result;
}

Napi::Value FileMap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ReadString(info[0], "path");
  const bool copy_on_write = ReadBool(info[1], "copyOnWrite");
  const bool copy = !info[2].IsUndefined() && ReadBool(info[2], "copy");

  const std::unique_ptr<Mapping, Owner> mapping(new Mapping());
  Check(env, oh_file_open(path.data(), path.size(), copy_on_write, &mapping->file));
  oh_file* const file = mapping->file;
  const size_t length = oh_file_length(file);

  napi_value buffer = nullptr;
  const napi_status outcome =
      copy ? napi_no_external_buffers_allowed
           : Share(env, mapping.get(), oh_file_data(file), length, ReleaseBytes, &buffer);
  if (outcome == napi_no_external_buffers_allowed) {
    const Napi::Value bytes = Copy(env, path, file);
    return Describe(env, bytes, Napi::Int32Array::New(env, 1), true);
  }
  if (outcome != napi_ok) ThrowTooLarge(env, length);
  napi_value word = nullptr;
  Expect(env, Share(env, mapping.get(), oh_file_status(file), sizeof(int32_t), ReleaseStatus, &word),
         "making the status buffer");
  const Napi::Value status = Napi::Int32Array::New(env, 1, Napi::ArrayBuffer(env, word), 0);
  return Describe(env, Napi::Value(env, buffer), status, false);
}

Napi::Value FileUnmap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  bool ours = false;
  if (info[0].IsArrayBuffer()) {
    Expect(env, napi_check_object_type_tag(env, info[0], &kFileBuffer, &ours), "reading the mark");
  }
  if (!ours) ThrowType(env, "buffer must be one that fileMap returned");
  bool detached = false;
  Expect(env, napi_is_detached_arraybuffer(env, info[0], &detached), "looking at the buffer");
  if (!detached) Expect(env, napi_detach_arraybuffer(env, info[0]), "detaching the buffer");
  return env.Undefined();
}

Napi::Value FileMappings(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(oh_file_mappings()));
}

Napi::Value Crc32c(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t seed = ReadU32(info[1], "seed");
  uint32_t result = 0;
  Check(info.Env(), oh_crc32c(bytes.data, bytes.length, seed, &result));
  return Napi::Number::New(info.Env(), result);
}

Napi::Value RegionChecksum(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  uint32_t result = 0;
  Check(info.Env(), oh_region_checksum(bytes.data, bytes.length, &result));
  return Napi::Number::New(info.Env(), result);
}

Napi::Value RegionCheck(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  uint64_t length = 0;
  uint32_t kind = 0;
  Check(info.Env(), oh_region_check(bytes.data, bytes.length, &length, &kind));
  // A length is at most that of the buffer, so a double holds it.
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

Napi::Value RegionAdvise(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const bool huge_pages = ReadBool(info[1], "hugePages");
  bool taken = false;
  Check(info.Env(), oh_region_advise(bytes.data, bytes.length,
                                     huge_pages ? OH_ADVICE_HUGE_PAGES : OH_ADVICE_SMALL_PAGES, &taken));
  return Napi::Boolean::New(info.Env(), taken);
}

Napi::Value RegionBind(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t node = ReadU32(info[1], "node");
  Check(info.Env(), oh_region_bind(bytes.data, bytes.length, node));
  return info.Env().Undefined();
}

}  // namespace

void InitRegion(Napi::Object exports) {
  Export<Crc32c>(exports, "crc32c");
  Export<RegionCheck>(exports, "regionCheck");
  Export<RegionChecksum>(exports, "regionChecksum");
  Export<RegionAdvise>(exports, "regionAdvise");
  Export<RegionBind>(exports, "regionBind");
  Export<FileMap>(exports, "fileMap");
  Export<FileUnmap>(exports, "fileUnmap");
  Export<FileMappings>(exports, "fileMappings");
}

}  // namespace offheap
