// Bulk and expensive calls on HashMap regions. Operations on one element are implemented in
// TypeScript (src/hashmap/), because a call into the addon costs more than they do.
//
// `bytes` is a view of the whole buffer that contains the region. Arrays of keys and values must
// have the element types of the map's schema, which is read from the region itself.
#include <cmath>
#include <cstring>
#include <string>

#include "args.h"
#include "columns.h"
#include "elements.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

class Map {
 public:
  explicit Map(const Napi::CallbackInfo& info) : env_(info.Env()), bytes_(ReadBytes(info[0], "bytes")) {
    Check(env_, oh_hashmap_types(bytes_.data, bytes_.length, &key_type_, &value_type_));
  }

  Column Keys(Napi::Value value) const { return ReadColumn(value, "keys", ArrayOf(key_type_, "keys")); }

  // At least `count` values, the number of keys or handles.
  Column Values(Napi::Value value, size_t count) const {
    return ReadColumn(value, "values", ArrayOf(value_type_, "values"), count);
  }

  void* base() const { return bytes_.data; }
  size_t length() const { return bytes_.length; }
  uint32_t value_type() const { return value_type_; }
  // The schema that the arrays were checked against. The C ABI checks it again, because another
  // thread may have changed the region since.
  uint32_t schema() const { return key_type_ | value_type_ << 8; }

 private:
  // The typed array of keys or values of this type.
  napi_typedarray_type ArrayOf(uint32_t type, const char* what) const {
    const int array = ArrayOfElement(type);
    if (array < 0) {
      throw Napi::Error(env_, MakeError(env_, OH_ERR_UNSUPPORTED,
                                        std::string("bulk calls require numbers; the ") + what +
                                            " of this map are not numbers"));
    }
    return static_cast<napi_typedarray_type>(array);
  }

  Napi::Env env_;
  Bytes bytes_;
  uint32_t key_type_ = 0;
  uint32_t value_type_ = 0;
};

Napi::Value Count(const Napi::CallbackInfo& info, size_t count) {
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

// The largest heap of the format, and therefore the largest argument: 2^34 bytes.
constexpr double kMaxHeap = 17179869184.0;

Napi::Value RebuildLength(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t capacity = ReadU32(info[1], "capacity");
  const uint64_t heap = ReadInteger(info[2], "heapCapacity", kMaxHeap);
  size_t length = 0;
  Check(info.Env(), oh_hashmap_rebuild_region_size(bytes.data, bytes.length, capacity, heap, &length));
  return Count(info, length);
}

void Rebuild(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t capacity = ReadU32(info[1], "capacity");
  const uint64_t heap = ReadInteger(info[2], "heapCapacity", kMaxHeap);
  Check(info.Env(), oh_hashmap_rebuild(bytes.data, bytes.length, capacity, heap));
}

void Clear(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_hashmap_clear(bytes.data, bytes.length));
}

Napi::Value GetMany(const Napi::CallbackInfo& info) {
  const Map map(info);
  const Column keys = map.Keys(info[1]);
  const Column values = map.Values(info[2], keys.length);
  uint8_t* const found = ReadFound(info[3], keys.length);
  size_t count = 0;
  Check(info.Env(), oh_hashmap_get_many(map.base(), map.length(), map.schema(), keys.data, keys.length,
                                        values.data, found, &count));
  return Count(info, count);
}

Napi::Value HasMany(const Napi::CallbackInfo& info) {
  const Map map(info);
  const Column keys = map.Keys(info[1]);
  uint8_t* const found = ReadFound(info[2], keys.length);
  size_t count = 0;
  Check(info.Env(),
        oh_hashmap_has_many(map.base(), map.length(), map.schema(), keys.data, keys.length, found, &count));
  return Count(info, count);
}

Napi::Value SetMany(const Napi::CallbackInfo& info) {
  const Map map(info);
  const Column keys = map.Keys(info[1]);
  const Column values = map.Values(info[2], keys.length);
  const size_t from = ReadSize(info[3], "from");
  size_t done = 0;
  Check(info.Env(), oh_hashmap_set_many(map.base(), map.length(), map.schema(), keys.data, values.data,
                                        keys.length, from, &done));
  return Count(info, done);
}

Napi::Value DeleteMany(const Napi::CallbackInfo& info) {
  const Map map(info);
  const Column keys = map.Keys(info[1]);
  size_t count = 0;
  Check(info.Env(),
        oh_hashmap_remove_many(map.base(), map.length(), map.schema(), keys.data, keys.length, &count));
  return Count(info, count);
}

// In JavaScript, handles are doubles, because they are less than 2^53. -1 represents a missing key.
Napi::Value HandlesOf(const Napi::CallbackInfo& info) {
  const Map map(info);
  const Column keys = map.Keys(info[1]);
  const Elements<double> out = ReadElements<double>(info[2], "out");
  RequireLength(info.Env(), "out", out.length, keys.length);
  size_t count = 0;
  // Each handle uses the same eight bytes, first as an integer, then as a double.
  Check(info.Env(), oh_hashmap_handles_of(map.base(), map.length(), map.schema(), keys.data, keys.length,
                                          reinterpret_cast<uint64_t*>(out.data), &count));
  for (size_t i = 0; i < keys.length; i++) {
    uint64_t handle = 0;
    std::memcpy(&handle, out.data + i, sizeof handle);
    const double number = handle == 0 ? -1.0 : static_cast<double>(handle);
    std::memcpy(out.data + i, &number, sizeof number);
  }
  return Count(info, count);
}

Napi::Value GetManyByHandle(const Napi::CallbackInfo& info) {
  const Map map(info);
  const Elements<double> handles = ReadElements<double>(info[1], "handles");
  const Column values = map.Values(info[2], handles.length);
  uint8_t* const found = ReadFound(info[3], handles.length);
  const size_t width = oh_type_width(map.value_type());
  constexpr size_t kChunk = 1024;
  uint64_t chunk[kChunk];
  size_t total = 0;
  for (size_t from = 0; from < handles.length; from += kChunk) {
    const size_t size = handles.length - from < kChunk ? handles.length - from : kChunk;
    for (size_t i = 0; i < size; i++) {
      const double handle = handles.data[from + i];
      // An invalid handle becomes 0, which identifies no entry.
      const bool valid = handle >= 0 && handle <= kMaxSafeInteger && std::trunc(handle) == handle;
      chunk[i] = valid ? static_cast<uint64_t>(handle) : 0;
    }
    size_t count = 0;
    Check(info.Env(), oh_hashmap_get_many_by_handle(map.base(), map.length(), map.schema(), chunk, size,
                                                    static_cast<uint8_t*>(values.data) + from * width,
                                                    found == nullptr ? nullptr : found + from, &count));
    total += count;
  }
  return Count(info, total);
}

void CheckMap(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_hashmap_check(bytes.data, bytes.length));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_hashmap_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<RebuildLength>(exports, "hashmapRebuildRegionSize");
  Export<Rebuild>(exports, "hashmapRebuild");
  Export<Clear>(exports, "hashmapClear");
  Export<GetMany>(exports, "hashmapGetMany");
  Export<HasMany>(exports, "hashmapHasMany");
  Export<SetMany>(exports, "hashmapSetMany");
  Export<DeleteMany>(exports, "hashmapDeleteMany");
  Export<HandlesOf>(exports, "hashmapHandlesOf");
  Export<GetManyByHandle>(exports, "hashmapGetManyByHandle");
  Export<CheckMap>(exports, "hashmapCheck");
  Export<Validate>(exports, "hashmapValidate");
}

}  // namespace offheap
