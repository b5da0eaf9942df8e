// Handles of the C ABI in JavaScript: an External that owns one, and may be emptied before it is collected.
//
// A kind of handle is a class with a tag (random; it tells the Externals apart), a name for messages, and a
// destructor.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "status.h"

namespace offheap {

template <typename T>
using Slot = std::shared_ptr<T>;

// The External of a new handle, which `make` fills after the External is there to own it.
template <typename T, typename Make>
Napi::Value HandOut(Napi::Env env, Make make) {
  auto* const slot = new Slot<T>(std::make_shared<T>());
  const auto external =
      Napi::External<Slot<T>>::New(env, slot, [](Napi::BasicEnv, Slot<T>* old) { delete old; });
  external.TypeTag(&T::kTag);
  make(**slot);
  return external;
}

template <typename T>
Slot<T>& ReadSlot(Napi::Value value) {
  const auto wrong = [&] { ThrowType(value.Env(), std::string("this is no ") + T::kName); };
  if (!value.IsExternal()) wrong();
  const auto external = value.As<Napi::External<Slot<T>>>();
  if (!external.CheckTypeTag(&T::kTag)) wrong();
  return *external.Data();
}

// The handle; throws ERR_OFFHEAP_CLOSED where it was given back.
template <typename T>
const Slot<T>& ReadHandle(Napi::Value value) {
  const Slot<T>& slot = ReadSlot<T>(value);
  if (slot == nullptr) {
    const Napi::Env env = value.Env();
    throw Napi::Error(env, MakeError(env, OH_ERR_CLOSED, std::string("the ") + T::kName + " was closed"));
  }
  return slot;
}

}  // namespace offheap
