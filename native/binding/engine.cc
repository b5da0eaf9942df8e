// See engine.h.
#include "engine.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>

#include "status.h"

namespace offheap {

#ifdef __linux__
namespace {

void Free(napi_env, void* data, void*) { delete static_cast<int32_t*>(data); }

// V8's sandbox does not allow external buffers of any size.
bool AllowsExternalBuffers(Napi::Env env) {
  auto word = std::make_unique<int32_t>(0);
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, word.get(), sizeof(int32_t), Free, nullptr, &buffer) != napi_ok) {
    env.GetAndClearPendingException();
    return false;
  }
  word.release();  // Owned by the buffer. Free deletes it.
  return true;
}

bool LooksLikeNode(Napi::Env env) {
  const Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return false;
  const Napi::Value versions = process.As<Napi::Object>().Get("versions");
  if (!versions.IsObject()) return false;
  const Napi::Object engine = versions.As<Napi::Object>();
  if (!engine.Has("node") || !engine.Has("v8")) return false;
  for (const char* other : {"electron", "bun", "deno", "nw"}) {
    if (engine.Has(other)) return false;
  }
  return true;
}

}  // namespace
#endif

namespace {

// Marks the buffers that CountBytes has wrapped. Random; never changes.
constexpr napi_type_tag kCounted = {0x3d9a1f0c52e7b864, 0xa5c70e9b13f2486d};

// The bytes that the engine was told of for one buffer. Only the thread of its environment uses it.
struct Count {
  int64_t bytes = 0;
};

// Runs no JavaScript. Node-API calls it for collected buffers, and when the environment ends for
// all others.
void Uncount(napi_env env, void* data, void*) {
  const std::unique_ptr<Count> count(static_cast<Count*>(data));
  int64_t total = 0;
  napi_adjust_external_memory(env, -count->bytes, &total);
}

}  // namespace

void CountBytes(Napi::Env env, Napi::Object buffer, int64_t bytes) {
  bool counted = false;
  if (napi_check_object_type_tag(env, buffer, &kCounted, &counted) != napi_ok) return;
  void* data = nullptr;
  if (!counted) {
    auto count = std::make_unique<Count>();
    // Fails if the buffer is wrapped already, as those of mapped files are.
    if (napi_wrap(env, buffer, count.get(), Uncount, nullptr, nullptr) != napi_ok) return;
    data = count.release();
    // Without the tag, the next call fails to wrap the buffer again, and changes nothing.
    napi_type_tag_object(env, buffer, &kCounted);
  } else if (napi_unwrap(env, buffer, &data) != napi_ok) {
    return;
  }
  Count* const count = static_cast<Count*>(data);
  const int64_t change = bytes - count->bytes;
  count->bytes = bytes;
  // Can collect garbage, but not this buffer, which the caller refers to.
  int64_t total = 0;
  napi_adjust_external_memory(env, change, &total);
}

AddressSpace ReadAddressSpace() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr AddressSpace kUnlimited = {kInfinity, kInfinity};
#ifdef __linux__
  rlimit limit = {};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return kUnlimited;
  // The first number is the size of the address space in pages.
  char text[64] = {};
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return kUnlimited;
  const double used = std::strtod(text, nullptr) * static_cast<double>(PageSize());
  const double most = static_cast<double>(limit.rlim_cur);
  return {most, used < most ? most - used : 0};
#else
  return kUnlimited;
#endif
}

bool EngineUnmaps(Napi::Env env) {
#ifdef __linux__
  // The answer is the same for all threads of the process, so a race has no effect.
  static std::atomic<int> known{0};
  if (known.load(std::memory_order_relaxed) == 0) {
    known.store(LooksLikeNode(env) && AllowsExternalBuffers(env) ? 1 : -1, std::memory_order_relaxed);
  }
  return known.load(std::memory_order_relaxed) > 0;
#else
  static_cast<void>(env);
  return false;
#endif
}

void RequireUnmapping(Napi::Env env) {
  if (EngineUnmaps(env)) return;
  throw Napi::Error(
      env, MakeError(env, OH_ERR_UNSUPPORTED, "this runtime has no memory that a file can be mapped into"));
}

size_t PageSize() {
#ifdef __linux__
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
#else
  return 4096;
#endif
}

}  // namespace offheap
