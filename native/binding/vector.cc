// Bulk and expensive calls on vector regions. Operations on one element are implemented in
// TypeScript (src/vector/).
//
// `bytes` is a view of the buffer from the region's first byte on. Values are typed arrays. Their
// type is passed to the C ABI, which rejects a region with another element type in its header.
#include <cstring>
#include <string>
#include <vector>

#include "args.h"
#include "background.h"
#include "columns.h"
#include "elements.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct Values {
  void* data;
  size_t length;
  uint32_t type;
};

// The oh_type of a typed array that can contain elements; 0 for the others.
uint32_t TypeOf(napi_typedarray_type type) {
  return type == napi_uint8_clamped_array ? 0 : ArrayTypeOf(type).type;
}

Values ReadValues(Napi::Value value, const char* what) {
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      TypeOf(type) == 0) {
    ThrowType(value.Env(), std::string(what) + " must be a typed array of numbers");
  }
  return {data, length, TypeOf(type)};
}

// An array of length 1, which contains an element and determines its type.
Values ReadElement(Napi::Value value, const char* what) {
  const Values element = ReadValues(value, what);
  if (element.length != 1) ThrowRange(value.Env(), std::string(what) + " must have one element");
  return element;
}

Napi::Value Number(const Napi::CallbackInfo& info, double number) {
  return Napi::Number::New(info.Env(), number);
}

void SetRegion(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_vector_set_region(bytes.data, bytes.length, ReadSize(info[1], "length")));
}

void SetLength(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_vector_set_count(bytes.data, bytes.length, ReadInteger(info[1], "length")));
}

void ZeroUnused(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_vector_zero_unused(bytes.data, bytes.length));
}

void CheckVector(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_vector_check(bytes.data, bytes.length));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_vector_validate(bytes.data, bytes.length));
}

void Fill(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Values value = ReadElement(info[1], "value");
  const uint64_t from = ReadInteger(info[2], "from");
  const uint64_t to = ReadInteger(info[3], "to");
  Check(info.Env(), oh_vector_fill(bytes.data, bytes.length, value.type, value.data, from, to));
}

// A number, or a bigint if the elements are bigints.
Napi::Value Sum(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const bool wide = ReadBool(info[1], "wide");
  oh_sum sum{};
  Check(env, oh_vector_sum(bytes.data, bytes.length, &sum));
  if (!wide) return Number(info, sum.value);
  // Node-API requires magnitude and sign.
  uint64_t words[2] = {sum.low, static_cast<uint64_t>(sum.high)};
  const int sign = sum.high < 0 ? 1 : 0;
  if (sign != 0) {
    words[0] = ~words[0] + 1;
    words[1] = ~words[1] + (words[0] == 0 ? 1 : 0);
  }
  return Napi::BigInt::New(env, sign, 2, words);
}

// Writes the least or greatest element to an array of length 1. Returns false for an empty vector.
Napi::Value Extreme(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const bool greatest = ReadBool(info[1], "greatest");
  const Values out = ReadElement(info[2], "out");
  bool found = false;
  Check(info.Env(), oh_vector_extreme(bytes.data, bytes.length, out.type, greatest, out.data, &found));
  return Napi::Boolean::New(info.Env(), found);
}

Napi::Value IndexOf(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Values value = ReadElement(info[1], "value");
  const uint64_t from = ReadInteger(info[2], "from");
  const bool nan = ReadBool(info[3], "nan");
  int64_t at = -1;
  Check(info.Env(), oh_vector_index_of(bytes.data, bytes.length, value.type, value.data, from, nan, &at));
  return Number(info, static_cast<double>(at));
}

void Search(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Values values = ReadValues(info[1], "values");
  const Elements<double> out = ReadElements<double>(info[2], "out");
  RequireLength(info.Env(), "out", out.length, values.length);
  const size_t width = oh_type_width(values.type);
  constexpr size_t kChunk = 1024;
  int64_t found[kChunk];
  for (size_t from = 0; from < values.length; from += kChunk) {
    const size_t count = values.length - from < kChunk ? values.length - from : kChunk;
    Check(info.Env(),
          oh_vector_search(bytes.data, bytes.length, values.type,
                           static_cast<const uint8_t*>(values.data) + from * width, count, found));
    for (size_t i = 0; i < count; i++) out.data[from + i] = static_cast<double>(found[i]);
  }
}

void Sort(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  bool finished = false;
  Check(info.Env(), oh_vector_sort(bytes.data, bytes.length, nullptr, &finished));
}

Napi::Value SortAsync(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  oh_control* control = ReadControl(info[1]);
  return RunInBackground(info.Env(), "offheap.sort", {info[0], info[1]}, [bytes, control](bool* finished) {
    return oh_vector_sort(bytes.data, bytes.length, control, finished);
  });
}

struct Indices {
  void* data;
  size_t length;
  bool wide;
};

// A Uint32Array or a Float64Array.
Indices ReadIndices(Napi::Value value) {
  const Values indices = ReadValues(value, "out");
  if (indices.type != OH_TYPE_U32 && indices.type != OH_TYPE_F64) {
    ThrowType(value.Env(), "out must be a Uint32Array or a Float64Array");
  }
  return {indices.data, indices.length, indices.type == OH_TYPE_F64};
}

void Argsort(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Indices out = ReadIndices(info[1]);
  bool finished = false;
  Check(info.Env(),
        oh_vector_argsort(bytes.data, bytes.length, nullptr, out.data, out.length, out.wide, &finished));
}

Napi::Value ArgsortAsync(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Indices out = ReadIndices(info[1]);
  oh_control* control = ReadControl(info[2]);
  return RunInBackground(
      info.Env(), "offheap.argsort", {info[0], info[1], info[2]}, [bytes, out, control](bool* finished) {
        return oh_vector_argsort(bytes.data, bytes.length, control, out.data, out.length, out.wide, finished);
      });
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<SetRegion>(exports, "vectorSetRegion");
  Export<SetLength>(exports, "vectorSetLength");
  Export<ZeroUnused>(exports, "vectorZeroUnused");
  Export<CheckVector>(exports, "vectorCheck");
  Export<Validate>(exports, "vectorValidate");
  Export<Fill>(exports, "vectorFill");
  Export<Sum>(exports, "vectorSum");
  Export<Extreme>(exports, "vectorExtreme");
  Export<IndexOf>(exports, "vectorIndexOf");
  Export<Search>(exports, "vectorSearch");
  Export<Sort>(exports, "vectorSort");
  Export<SortAsync>(exports, "vectorSortAsync");
  Export<Argsort>(exports, "vectorArgsort");
  Export<ArgsortAsync>(exports, "vectorArgsortAsync");
}

}  // namespace offheap
