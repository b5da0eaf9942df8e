// See engine.h.
#include "engine.h"

#ifdef __linux__
#include <unistd.h>
#endif

#include <atomic>
#include <cstdint>
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
