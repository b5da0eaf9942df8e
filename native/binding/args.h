// Reading arguments from JavaScript. Every function of the binding uses these functions.
//
// Node-API accepts NaN, infinities, negative and too large numbers, and truncates BigInts. Numbers
// are therefore read as doubles and checked here, although TypeScript has checked them before: the
// safety of the C ABI must not depend on the caller. `what` names the argument in the message.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace offheap {

// A view of typed memory: over an ArrayBuffer or a SharedArrayBuffer, growable or not.
struct Bytes {
  uint8_t* data;
  size_t length;
};

template <typename T>
struct Elements {
  T* data;
  size_t length;
};

// The largest integer that a double holds exactly, 2^53 - 1.
constexpr double kMaxSafeInteger = 9007199254740991.0;

// The bytes of a typed array, DataView or Buffer. Throws ERR_OFFHEAP_TYPE for anything else. The
// pointer is valid until this call into the addon returns: growth never moves a buffer, and only
// running JavaScript can detach one.
Bytes ReadBytes(Napi::Value value, const char* what);

// A typed array of any element type in the form that the C ABI requires: its address and the
// oh_type of its elements.
struct Numbers {
  void* data;
  uint32_t type;
  size_t length;
};

// Throws ERR_OFFHEAP_TYPE for anything but a typed array.
Numbers ReadNumbers(Napi::Value value, const char* what);

// An integer from 0 to `max`. Throws ERR_OFFHEAP_TYPE or ERR_OFFHEAP_RANGE.
uint64_t ReadInteger(Napi::Value value, const char* what, double max = kMaxSafeInteger);

inline size_t ReadSize(Napi::Value value, const char* what) {
  return static_cast<size_t>(ReadInteger(value, what));
}

inline uint32_t ReadU32(Napi::Value value, const char* what) {
  return static_cast<uint32_t>(ReadInteger(value, what, 4294967295.0));
}

// A boolean. Other values are not converted.
bool ReadBool(Napi::Value value, const char* what);

// A string, as UTF-8. Lone surrogates become U+FFFD: for paths and names, not for keys.
std::string ReadString(Napi::Value value, const char* what);

namespace internal {
void* ReadTyped(Napi::Value value, const char* what, napi_typedarray_type type, size_t* length);
template <typename T>
struct TypeOf;
template <>
struct TypeOf<uint8_t> {
  static constexpr napi_typedarray_type value = napi_uint8_array;
};
template <>
struct TypeOf<uint32_t> {
  static constexpr napi_typedarray_type value = napi_uint32_array;
};
template <>
struct TypeOf<int32_t> {
  static constexpr napi_typedarray_type value = napi_int32_array;
};
template <>
struct TypeOf<double> {
  static constexpr napi_typedarray_type value = napi_float64_array;
};
template <>
struct TypeOf<uint64_t> {
  static constexpr napi_typedarray_type value = napi_biguint64_array;
};
template <>
struct TypeOf<int64_t> {
  static constexpr napi_typedarray_type value = napi_bigint64_array;
};
}  // namespace internal

// The elements of a typed array of exactly this element type.
template <typename T>
Elements<T> ReadElements(Napi::Value value, const char* what) {
  size_t length = 0;
  void* data = internal::ReadTyped(value, what, internal::TypeOf<T>::value, &length);
  return {static_cast<T*>(data), length};
}

}  // namespace offheap
