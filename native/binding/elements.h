// The typed array of each type of elements, and the reverse.
// Generated from scripts/generate/schema.mjs by `npm run generate`. Do not edit.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "offheap.h"

namespace offheap {

struct ArrayType {
  napi_typedarray_type array;
  const char* name;
  size_t width;
  uint32_t type;
};

// Indexed by napi_typedarray_type. A clamped array contains the same bytes as a Uint8Array.
constexpr ArrayType kArrayTypes[] = {
    {napi_int8_array, "Int8Array", 1, OH_TYPE_I8},
    {napi_uint8_array, "Uint8Array", 1, OH_TYPE_U8},
    {napi_uint8_clamped_array, "Uint8ClampedArray", 1, OH_TYPE_U8},
    {napi_int16_array, "Int16Array", 2, OH_TYPE_I16},
    {napi_uint16_array, "Uint16Array", 2, OH_TYPE_U16},
    {napi_int32_array, "Int32Array", 4, OH_TYPE_I32},
    {napi_uint32_array, "Uint32Array", 4, OH_TYPE_U32},
    {napi_float32_array, "Float32Array", 4, OH_TYPE_F32},
    {napi_float64_array, "Float64Array", 8, OH_TYPE_F64},
    {napi_bigint64_array, "BigInt64Array", 8, OH_TYPE_I64},
    {napi_biguint64_array, "BigUint64Array", 8, OH_TYPE_U64},
};

constexpr bool ArrayTypesAreIndexed() {
  for (size_t i = 0; i < std::size(kArrayTypes); i++) {
    if (kArrayTypes[i].array != static_cast<napi_typedarray_type>(i)) return false;
  }
  return true;
}
static_assert(ArrayTypesAreIndexed());

// An array type that is newer than this table has no name, and its type 0 is not an oh_type.
constexpr ArrayType kUnknownArray = {napi_uint8_array, "typed array", 1, 0};

inline const ArrayType& ArrayTypeOf(napi_typedarray_type array) {
  const size_t index = static_cast<size_t>(array);
  return index < std::size(kArrayTypes) ? kArrayTypes[index] : kUnknownArray;
}

// Indexed by oh_type: the array that shows a column of plain data, and -1 for other types.
constexpr int kArrayOfElement[] = {
    -1,
    napi_uint8_array,
    napi_int8_array,
    napi_uint16_array,
    napi_int16_array,
    napi_uint32_array,
    napi_int32_array,
    napi_float32_array,
    napi_float64_array,
    napi_biguint64_array,
    napi_bigint64_array,
    napi_uint8_array,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
};

inline int ArrayOfElement(uint32_t type) {
  return type < std::size(kArrayOfElement) ? kArrayOfElement[type] : -1;
}

}  // namespace offheap
