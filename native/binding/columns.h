// Columns: the typed arrays of bulk calls, with one element for each key, id, handle or index.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "args.h"
#include "status.h"

namespace offheap {

struct Column {
  void* data;
  size_t length;
};

// Throws ERR_OFFHEAP_RANGE unless an array has at least `count` elements.
inline void RequireLength(napi_env env, const char* what, size_t length, size_t count) {
  if (length >= count) return;
  ThrowRange(env, std::string(what) + " has " + std::to_string(length) + " elements, fewer than " +
                      std::to_string(count));
}

// A typed array of exactly this type with at least `count` elements.
inline Column ReadColumn(Napi::Value value, const char* what, napi_typedarray_type type, size_t count = 0) {
  Column column = {};
  column.data = internal::ReadTyped(value, what, type, &column.length);
  RequireLength(value.Env(), what, column.length, count);
  return column;
}

// A typed array of any element type with at least `count` elements, for results.
inline Numbers ReadOut(Napi::Value value, size_t count) {
  const Numbers out = ReadNumbers(value, "out");
  RequireLength(value.Env(), "out", out.length, count);
  return out;
}

// A byte for each of `count` elements. Null if the argument is undefined.
inline uint8_t* ReadFound(Napi::Value value, size_t count) {
  if (value.IsUndefined()) return nullptr;
  return static_cast<uint8_t*>(ReadColumn(value, "found", napi_uint8_array, count).data);
}

}  // namespace offheap
