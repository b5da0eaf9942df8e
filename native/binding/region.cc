// Regions: checksums, advice about memory, and mapped files as buffers.
//
// A file is mapped for JavaScript in the first of three ways that works:
//
// - shared: a growable SharedArrayBuffer. The file is mapped over its reserved pages
//   (oh_binding_file_move). The engine frees the pages with its own reference count: threads that
//   received a view keep them after the thread that opened the file has ended, and are protected
//   from lost pages as long. For that protection the buffer has one page more than the file
//   (oh_binding_file_move). fileUnmap replaces the file with zeros; a finalizer of the buffer only
//   drops the handle. Requires Linux and an engine that frees such memory by unmapping it: Node
//   without V8's sandbox.
// - external: an external ArrayBuffer. fileUnmap detaches it, after which its views have length 0.
//   The finalizer, which Node calls one turn of the event loop later, unmaps the bytes.
// - copy: an ArrayBuffer of the engine, where external buffers are not allowed (Electron).
//
// External buffers are not used everywhere, because V8 counts their bytes as memory that a garbage
// collection can free. With 300 MB of live objects, each opening of a 1 GiB file cost 200 to 300 ms
// of full collection (Node 20, 22 and 24), against 0.1 ms for shared buffers. Correcting the count
// with napi_adjust_external_memory makes it negative, which terminates Node 24.
//
// The pages are always private and writable, because JavaScript can store through any view: a store
// to a read-only page would cause SIGSEGV. The file itself never changes.
//
// The status word is an external buffer of 4 bytes that native code sets when a page is lost. The
// later of the two buffers to be collected closes the handle (oh_binding_file_close). All of this
// happens on the thread of one environment, so the count of owners needs no atomics. Each fileMap
// has a mapping of its own. When an environment ends (a worker that exits or is terminated), Node
// runs the finalizers.
#include <cstring>
#include <memory>
#include <string>

#include "args.h"
#include "engine.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// Marks the buffers of fileMap, so that fileUnmap detaches no other buffers. Random; never changes.
constexpr napi_type_tag kFileBuffer = {0x6f66668ea0d31c57, 0xb1f04c6e92d7a385};

// fileMap fails when the process uses this percentage of its limit of mappings. The same number as
// in src/region/.
constexpr uint32_t kMappingsPercent = 75;

// An open file, owned by the buffers that point into it, and by FileMap while it makes them.
struct Mapping {
  oh_binding_file* file = nullptr;
  int owners = 1;
};

void Release(Mapping* mapping) {
  if (--mapping->owners > 0) return;
  oh_binding_file_close(mapping->file);
  delete mapping;
}

struct Owner {
  void operator()(Mapping* mapping) const { Release(mapping); }
};

void ReleaseBytes(napi_env, void*, void* hint) {
  auto* mapping = static_cast<Mapping*>(hint);
  oh_binding_file_unmap(mapping->file);
  Release(mapping);
}

// The pages belong to the engine, which frees them, has freed them, or keeps them for another
// thread.
void ForgetBytes(napi_env, void*, void* hint) {
  auto* mapping = static_cast<Mapping*>(hint);
  oh_binding_file_forget(mapping->file);
  Release(mapping);
}

void ReleaseStatus(napi_env, void*, void* hint) { Release(static_cast<Mapping*>(hint)); }

// An external buffer that is one of the owners of the mapping. If it cannot be created, Node has
// either called the finalizer before it returned (the buffer was too large) or never calls it. The
// count of owners is the same in both cases.
napi_status External(Napi::Env env, Mapping* mapping, const void* data, size_t length, napi_finalize finalize,
                     napi_value* buffer) {
  const int before = mapping->owners++;
  const napi_status status =
      napi_create_external_arraybuffer(env, const_cast<void*>(data), length, finalize, mapping, buffer);
  if (status != napi_ok) mapping->owners = before;
  return status;
}

// For a Node-API call that should not fail. A pending exception has the better message.
void Expect(Napi::Env env, napi_status status, const char* what) {
  if (status == napi_ok) return;
  if (env.IsExceptionPending()) throw env.GetAndClearPendingException();
  throw Napi::Error(env, MakeError(env, OH_ERR_NATIVE, std::string(what) + " failed"));
}

[[noreturn]] void ThrowTooLarge(Napi::Env env, size_t length) {
  env.GetAndClearPendingException();
  throw Napi::Error(env, MakeError(env, OH_ERR_UNSUPPORTED,
                                   "this release of Node cannot create a buffer for a file of " +
                                       std::to_string(length) + " bytes"));
}

// A growable SharedArrayBuffer that contains the pages of the file. Empty if that is not possible.
Napi::Value Shared(Napi::Env env, Mapping* mapping) {
#ifdef __linux__
  const size_t page = PageSize();
  const size_t length = oh_binding_file_size(mapping->file);
  // The rest of the last page belongs to the mapping too and reads as zeros. The engine reserves
  // whole pages, so eight bytes more reserve another page. No program can grow the buffer to the
  // end of that page.
  const size_t whole = (length + page - 1) & ~(page - 1);
  const size_t reserved = whole + page;
  const Napi::Value constructor = env.Global().Get("SharedArrayBuffer");
  if (!constructor.IsFunction() || !EngineUnmaps(env)) return Napi::Value();
  Napi::Object buffer;
  try {
    Napi::Object options = Napi::Object::New(env);
    options.Set("maxByteLength", static_cast<double>(whole + 8));
    buffer =
        constructor.As<Napi::Function>().New({Napi::Number::New(env, static_cast<double>(length)), options});
  } catch (const Napi::Error&) {
    return Napi::Value();  // Too large to reserve, but perhaps not for an external buffer.
  }
  const Napi::Object view = env.Global().Get("Uint8Array").As<Napi::Function>().New({buffer});
  const Bytes bytes = ReadBytes(view, "the buffer");
  if (bytes.length != length) return Napi::Value();
  if (oh_binding_file_move(mapping->file, bytes.data, reserved) != OH_OK) return Napi::Value();
  if (napi_wrap(env, buffer, mapping, ForgetBytes, mapping, nullptr) != napi_ok) {
    // The buffer keeps the pages of the file until it is collected, without protection.
    Expect(env, napi_generic_failure, "wrapping the buffer");
  }
  mapping->owners++;
  return buffer;
#else
  return Napi::Value();
#endif
}

// A copy of the bytes of the file, for engines that do not allow external buffers.
Napi::Value Copy(Napi::Env env, const std::string& path, oh_binding_file* file) {
  const size_t length = oh_binding_file_size(file);
  napi_value buffer = nullptr;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok || data == nullptr) {
    ThrowTooLarge(env, length);
  }
  std::memcpy(data, oh_binding_file_data(file), length);
  if (oh_binding_file_lost(file)) {
    throw Napi::Error(env, MakeError(env, OH_ERR_IO, path + " shrank while it was read"));
  }
  return Napi::Value(env, buffer);
}

// A growable buffer needs two memory mappings, and so does a mapped file. The engine terminates the
// process if it cannot get one.
bool MayMap(Napi::Env env, uint32_t count, uint32_t percent) {
  bool granted = false;
  Check(env, oh_binding_mappings_reserve(count, percent, &granted));
  return granted;
}

Napi::Value Describe(Napi::Env env, Napi::Value buffer, Napi::Value status, bool copied) {
  Expect(env, napi_type_tag_object(env, buffer, &kFileBuffer), "tagging the buffer");
  Napi::Object result = Napi::Object::New(env);
  result.Set("buffer", buffer);
  result.Set("status", status);
  result.Set("copied", copied);
  return result;
}

Napi::Value FileMap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ReadString(info[0], "path");
  ReadBool(info[1], "copyOnWrite");
  const std::string strategy = info[2].IsUndefined() ? "shared" : ReadString(info[2], "strategy");
  if (strategy != "shared" && strategy != "external" && strategy != "copy") {
    ThrowType(env, "strategy must be 'shared', 'external' or 'copy'");
  }

  if (strategy != "copy" && !MayMap(env, 2, kMappingsPercent)) {
    throw Napi::Error(env, MakeError(env, OH_ERR_OOM,
                                     "no memory mapping for " + path +
                                         ": this process has nearly as many as the system allows"));
  }
  const std::unique_ptr<Mapping, Owner> mapping(new Mapping());
  Check(env, oh_binding_file_open(path.data(), path.size(), true, &mapping->file));
  oh_binding_file* const file = mapping->file;
  const size_t length = oh_binding_file_size(file);

  // The status first: if even an external buffer of four bytes is not allowed, V8 runs in its
  // sandbox, which keeps and reuses addresses, so no file may be mapped there.
  napi_value word = nullptr;
  napi_status outcome = napi_no_external_buffers_allowed;
  if (strategy != "copy") {
    outcome =
        External(env, mapping.get(), oh_binding_file_status(file), sizeof(int32_t), ReleaseStatus, &word);
  }
  if (outcome == napi_no_external_buffers_allowed) {
    const Napi::Value bytes = Copy(env, path, file);
    return Describe(env, bytes, Napi::Int32Array::New(env, 1), true);
  }
  Expect(env, outcome, "making the status buffer");
  const Napi::Value status = Napi::Int32Array::New(env, 1, Napi::ArrayBuffer(env, word), 0);

  napi_value buffer = nullptr;
  if (strategy == "shared") buffer = Shared(env, mapping.get());
  if (buffer == nullptr &&
      External(env, mapping.get(), oh_binding_file_data(file), length, ReleaseBytes, &buffer) != napi_ok) {
    // Unmaps now rather than when the status word is collected.
    oh_binding_file_unmap(file);
    ThrowTooLarge(env, length);
  }
  return Describe(env, Napi::Value(env, buffer), status, false);
}

Napi::Value FileUnmap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  bool ours = false;
  if (info[0].IsObject()) {
    Expect(env, napi_check_object_type_tag(env, info[0], &kFileBuffer, &ours), "reading the type tag");
  }
  if (!ours) ThrowType(env, "buffer must be a buffer that fileMap returned");
  if (info[0].IsArrayBuffer()) {
    bool detached = false;
    Expect(env, napi_is_detached_arraybuffer(env, info[0], &detached), "inspecting the buffer");
    if (!detached) Expect(env, napi_detach_arraybuffer(env, info[0]), "detaching the buffer");
  } else {
    void* mapping = nullptr;
    Expect(env, napi_unwrap(env, info[0], &mapping), "reading the buffer");
    oh_binding_file_unmap(static_cast<Mapping*>(mapping)->file);
  }
  return env.Undefined();
}

Napi::Value FileMappings(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(oh_binding_file_mappings()));
}

Napi::Value MappingsReserve(const Napi::CallbackInfo& info) {
  const uint32_t count = ReadU32(info[0], "count");
  const uint32_t percent = ReadU32(info[1], "percent");
  return Napi::Boolean::New(info.Env(), MayMap(info.Env(), count, percent));
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
  // The length is at most that of the buffer, so a double represents it exactly.
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

void MemoryCount(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) ThrowType(env, "buffer must be an object");
  CountBytes(env, info[0].As<Napi::Object>(), static_cast<int64_t>(ReadSize(info[1], "bytes")));
}

Napi::Value AddressSpaceOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const AddressSpace space = ReadAddressSpace();
  const Napi::Array result = Napi::Array::New(env, 2);
  result.Set(0U, Napi::Number::New(env, space.limit));
  result.Set(1U, Napi::Number::New(env, space.left));
  return result;
}

Napi::Value RegionBind(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t node = ReadU32(info[1], "node");
  Check(info.Env(), oh_region_bind(bytes.data, bytes.length, node));
  return info.Env().Undefined();
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Crc32c>(exports, "crc32c");
  Export<RegionCheck>(exports, "regionCheck");
  Export<RegionChecksum>(exports, "regionChecksum");
  Export<RegionAdvise>(exports, "regionAdvise");
  Export<RegionBind>(exports, "regionBind");
  Export<MemoryCount>(exports, "memoryCount");
  Export<AddressSpaceOf>(exports, "addressSpace");
  Export<FileMap>(exports, "fileMap");
  Export<FileUnmap>(exports, "fileUnmap");
  Export<FileMappings>(exports, "fileMappings");
  Export<MappingsReserve>(exports, "mappingsReserve");
}

}  // namespace offheap
