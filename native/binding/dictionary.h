// The handle of a prepared dictionary, which compression and record stores use too, and the output
// of both.
#pragma once

#include <napi.h>

#include <string>

#include "args.h"
#include "handle.h"
#include "status.h"

namespace offheap {

struct Dictionary : OwnedPointer<oh_dictionary, oh_dictionary_free> {
  static constexpr napi_type_tag kTag = {0x6f66666865617001, 0x64696374696f6e61};
  static constexpr const char* kName = "dictionary";
};

// The bytes of `out` from `at` on. `out` may have been detached since `at` was chosen.
inline Bytes ReadOutFrom(Napi::Value value, Napi::Value offset) {
  const Bytes out = ReadBytes(value, "out");
  const size_t at = ReadSize(offset, "at");
  if (at > out.length) {
    ThrowRange(value.Env(), "at is " + std::to_string(at) + ", past the end of out, which has " +
                                std::to_string(out.length) + " bytes");
  }
  return {out.data + at, out.length - at};
}

// The number of bytes written, or -1 if `out` is too short.
inline Napi::Value Written(Napi::Env env, oh_status status, size_t written) {
  if (status == OH_ERR_FULL) return Napi::Number::New(env, -1);
  Check(env, status);
  return Napi::Number::New(env, static_cast<double>(written));
}

}  // namespace offheap
