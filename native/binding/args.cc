// See args.h.
#include "args.h"

#include <cmath>

#include "status.h"

namespace offheap {

namespace {

const char* ArrayName(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
      return "Int8Array";
    case napi_uint8_array:
      return "Uint8Array";
    case napi_uint8_clamped_array:
      return "Uint8ClampedArray";
    case napi_int16_array:
      return "Int16Array";
    case napi_uint16_array:
      return "Uint16Array";
    case napi_int32_array:
      return "Int32Array";
    case napi_uint32_array:
      return "Uint32Array";
    case napi_float32_array:
      return "Float32Array";
    case napi_float64_array:
      return "Float64Array";
    case napi_bigint64_array:
      return "BigInt64Array";
    case napi_biguint64_array:
      return "BigUint64Array";
    default:
      return "typed array";
  }
}

size_t ElementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 1;
  }
}

uint32_t TypeOf(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
      return OH_TYPE_I8;
    case napi_int16_array:
      return OH_TYPE_I16;
    case napi_uint16_array:
      return OH_TYPE_U16;
    case napi_int32_array:
      return OH_TYPE_I32;
    case napi_uint32_array:
      return OH_TYPE_U32;
    case napi_float32_array:
      return OH_TYPE_F32;
    case napi_float64_array:
      return OH_TYPE_F64;
    case napi_bigint64_array:
      return OH_TYPE_I64;
    case napi_biguint64_array:
      return OH_TYPE_U64;
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return OH_TYPE_U8;
    default:
      return 0;  // A kind of array that is newer than this: the C ABI refuses it.
  }
}

}  // namespace

Numbers ReadNumbers(Napi::Value value, const char* what) {
  const napi_env env = value.Env();
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    ThrowType(env, std::string(what) + " must be a typed array");
  }
  return {data, TypeOf(type), length};
}

Bytes ReadBytes(Napi::Value value, const char* what) {
  const napi_env env = value.Env();
  void* data = nullptr;
  size_t length = 0;
  if (value.IsTypedArray()) {
    // The buffer is not asked for: over a SharedArrayBuffer it would be no ArrayBuffer.
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok) {
      return {static_cast<uint8_t*>(data), length * ElementSize(type)};
    }
  } else if (value.IsDataView()) {
    if (napi_get_dataview_info(env, value, &length, &data, nullptr, nullptr) == napi_ok) {
      return {static_cast<uint8_t*>(data), length};
    }
  }
  ThrowType(env, std::string(what) + " must be a typed array or DataView");
}

void* internal::ReadTyped(Napi::Value value, const char* what, napi_typedarray_type wanted, size_t* length) {
  const napi_env env = value.Env();
  napi_typedarray_type type;
  void* data = nullptr;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr) != napi_ok ||
      type != wanted) {
    const char* name = ArrayName(wanted);
    ThrowType(env, std::string(what) + " must be a " + name);
  }
  return data;
}

uint64_t ReadInteger(Napi::Value value, const char* what, double max) {
  const napi_env env = value.Env();
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    ThrowType(env, std::string(what) + " must be a number");
  }
  // NaN fails every comparison, so the test is for what is allowed.
  if (!(number >= 0 && number <= max && std::trunc(number) == number)) {
    ThrowRange(env, std::string(what) + " must be an integer from 0 to " +
                        std::to_string(static_cast<uint64_t>(max)));
  }
  return static_cast<uint64_t>(number);
}

bool ReadBool(Napi::Value value, const char* what) {
  bool result = false;
  if (napi_get_value_bool(value.Env(), value, &result) != napi_ok) {
    ThrowType(value.Env(), std::string(what) + " must be a boolean");
  }
  return result;
}

std::string ReadString(Napi::Value value, const char* what) {
  if (!value.IsString()) ThrowType(value.Env(), std::string(what) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

}  // namespace offheap
