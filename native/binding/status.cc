// See status.h.
#include "status.h"

#include <cstring>

namespace offheap {

namespace {

// One for each environment (main thread, each worker). The addon has no other state and can
// therefore be loaded in any number of workers.
struct Instance {
  Napi::FunctionReference error_factory;
};

// "OH_ERR_CORRUPT" -> "ERR_OFFHEAP_CORRUPT". The table of names is in native/core/src/error.rs.
std::string CodeOf(oh_status status) {
  const char* name = oh_status_name(status);
  const char* const prefix = "OH_ERR_";
  if (std::strncmp(name, prefix, std::strlen(prefix)) != 0) return "ERR_OFFHEAP_NATIVE";
  return std::string("ERR_OFFHEAP_") + (name + std::strlen(prefix));
}

[[noreturn]] void Throw(Napi::Env env, oh_status status, const std::string& message) {
  const Napi::Value error = MakeError(env, status, message);
  throw Napi::Error(env, error);
}

}  // namespace

void SetErrorFactory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsFunction()) throw Napi::TypeError::New(env, "the error factory must be a function");
  auto* instance = env.GetInstanceData<Instance>();
  if (instance == nullptr) {
    instance = new Instance();
    env.SetInstanceData(instance);
  }
  instance->error_factory = Napi::Persistent(info[0].As<Napi::Function>());
}

Napi::Value MakeError(Napi::Env env, oh_status status, const std::string& message) {
  const Napi::String code = Napi::String::New(env, CodeOf(status));
  const Napi::String text = Napi::String::New(env, message);
  auto* instance = env.GetInstanceData<Instance>();
  if (instance != nullptr && !instance->error_factory.IsEmpty()) {
    return instance->error_factory.Call({code, text});
  }
  // The addon was loaded without src/native.ts: a plain error that has the code too.
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  return error.Value();
}

std::string LastError() {
  std::string message(oh_last_error(nullptr, 0), '\0');
  // One more byte for the terminating NUL, for which std::string has room.
  oh_last_error(message.data(), message.size() + 1);
  return message;
}

void ThrowStatus(napi_env env, oh_status status) { Throw(env, status, LastError()); }
void ThrowType(napi_env env, const std::string& message) { Throw(env, OH_ERR_TYPE, message); }
void ThrowRange(napi_env env, const std::string& message) { Throw(env, OH_ERR_RANGE, message); }

}  // namespace offheap
