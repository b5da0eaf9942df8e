// Handles of the C ABI in JavaScript: an External that owns one and can be emptied before it is
// collected.
//
// A kind of handle is a class with a tag (random; it distinguishes the Externals), a name for
// messages, and a destructor. Background work copies the shared pointer, so that the handle
// outlives an External that is closed or collected meanwhile.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "status.h"

namespace offheap {

// A pointer of the C ABI that kFree releases. Base class for kinds of handles.
template <typename T, auto kFree>
struct OwnedPointer {
  T* pointer = nullptr;

  OwnedPointer() = default;
  OwnedPointer(const OwnedPointer&) = delete;
  OwnedPointer& operator=(const OwnedPointer&) = delete;
  ~OwnedPointer() { kFree(pointer); }
};

// The content of an External. Null after the handle was closed.
template <typename T>
using Shared = std::shared_ptr<T>;

// The External of a new handle. `fill` runs after the External owns the handle, so that nothing
// leaks if it throws.
template <typename T, typename Fill>
Napi::Value NewHandle(Napi::Env env, Fill fill) {
  auto shared = std::make_unique<Shared<T>>(std::make_shared<T>());
  T& handle = **shared;
  const auto external = Napi::External<Shared<T>>::New(
      env, shared.get(), [](Napi::BasicEnv, Shared<T>* collected) { delete collected; });
  shared.release();
  external.TypeTag(&T::kTag);
  fill(handle);
  return external;
}

// The content of an External of this kind. Throws ERR_OFFHEAP_TYPE for any other value.
template <typename T>
Shared<T>& ReadShared(Napi::Value value) {
  const auto reject = [&] { ThrowType(value.Env(), std::string("argument must be a ") + T::kName); };
  if (!value.IsExternal()) reject();
  const auto external = value.As<Napi::External<Shared<T>>>();
  if (!external.CheckTypeTag(&T::kTag)) reject();
  return *external.Data();
}

template <typename T>
[[noreturn]] void ThrowClosed(Napi::Env env) {
  throw Napi::Error(env, MakeError(env, OH_ERR_CLOSED, std::string("the ") + T::kName + " was closed"));
}

// The handle. Throws ERR_OFFHEAP_CLOSED after it was closed.
template <typename T>
const Shared<T>& ReadHandle(Napi::Value value) {
  const Shared<T>& shared = ReadShared<T>(value);
  if (shared == nullptr) ThrowClosed<T>(value.Env());
  return shared;
}

// The same without the check of the tag, which costs as much as reading a record. For hot paths
// whose callers in TypeScript pass only Externals of this kind.
template <typename T>
const T& ReadTrustedHandle(Napi::Value value) {
  void* data = nullptr;
  if (napi_get_value_external(value.Env(), value, &data) != napi_ok) {
    ThrowType(value.Env(), std::string("argument must be a ") + T::kName);
  }
  const Shared<T>& shared = *static_cast<Shared<T>*>(data);
  if (shared == nullptr) ThrowClosed<T>(value.Env());
  return *shared;
}

}  // namespace offheap
