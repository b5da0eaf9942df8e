// From oh_status to JavaScript errors.
//
// TypeScript creates the errors (src/errors.ts). Its loader passes the factory once for each
// thread. An error from native code is therefore the same OffheapError, TypeError or RangeError
// that TypeScript would have thrown, and calls need no wrapper.
#pragma once

#include <napi.h>

#include <string>

#include "offheap.h"

namespace offheap {

// Keeps the factory, `(code, message) => Error`, for this environment.
void SetErrorFactory(const Napi::CallbackInfo& info);

// Throws the error for a status that is not OH_OK, with the thread's last error message.
[[noreturn]] void ThrowStatus(napi_env env, oh_status status);

[[noreturn]] void ThrowType(napi_env env, const std::string& message);
[[noreturn]] void ThrowRange(napi_env env, const std::string& message);

// The error as a value, for rejecting a promise. `message` comes from oh_last_error, which must be
// called on the thread on which the call failed: see LastError.
Napi::Value MakeError(Napi::Env env, oh_status status, const std::string& message);
std::string LastError();

// Wraps every call of the C ABI: Check(env, oh_thing_do(...)).
inline void Check(napi_env env, oh_status status) {
  if (status != OH_OK) ThrowStatus(env, status);
}

}  // namespace offheap
