// See args.h.
#include "args.h"

#include <cmath>

#include "elements.h"
#include "status.h"

namespace offheap {

Numbers ReadNumbers(Napi::Value value, const char* what) {
  const napi_env env = value.Env();
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    ThrowType(env, std::string(what) + " must be a typed array");
  }
  return {data, ArrayTypeOf(type).type, length};
}

Bytes ReadBytes(Napi::Value value, const char* what) {
  const napi_env env = value.Env();
  void* data = nullptr;
  size_t length = 0;
  if (value.IsTypedArray()) {
    // The buffer is not requested, because it may be a SharedArrayBuffer, which is not an
    // ArrayBuffer.
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok) {
      return {static_cast<uint8_t*>(data), length * ArrayTypeOf(type).width};
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
    const char* name = ArrayTypeOf(wanted).name;
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
  // The condition tests for valid numbers, because NaN fails every comparison.
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
