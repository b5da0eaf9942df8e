// Bulk and expensive calls on SmallMapArena regions. Operations on one element are implemented in
// TypeScript (src/smallmap/), because a call into the addon costs more than they do.
//
// `bytes` is a view of the whole buffer that contains the region. Arrays of keys and values must
// have the element types of the arena's schema, which is read from the region itself. TypeScript
// has already replaced strings with their ids.
#include "args.h"
#include "columns.h"
#include "elements.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

class Arena {
 public:
  explicit Arena(const Napi::CallbackInfo& info) : env_(info.Env()), bytes_(ReadBytes(info[0], "bytes")) {
    Check(env_, oh_smallmap_arena_get_info(bytes_.data, bytes_.length, &info_));
    ids_ = ReadIds(info[1]);
    keys_ = Read(info[2], "keys", info_.key_type);
  }

  // At least as many values as ids.
  Column Values(Napi::Value value) const { return Read(value, "values", info_.value_type); }

  void* base() const { return bytes_.data; }
  size_t length() const { return bytes_.length; }
  const void* ids() const { return ids_.data; }
  uint32_t id_type() const { return id_type_; }
  const void* keys() const { return keys_.data; }
  size_t count() const { return ids_.length; }
  // The schema that the arrays were checked against. The C ABI checks it again, because another
  // thread may have changed the region since.
  uint32_t schema() const { return info_.key_type | info_.value_type << 8; }

 private:
  Column ReadIds(Napi::Value value) {
    napi_typedarray_type type = napi_float64_array;
    size_t length = 0;
    void* data = nullptr;
    if (value.IsTypedArray() &&
        napi_get_typedarray_info(env_, value, &type, &length, &data, nullptr, nullptr) == napi_ok &&
        (type == napi_float64_array || type == napi_uint32_array)) {
      id_type_ = type == napi_float64_array ? OH_TYPE_F64 : OH_TYPE_U32;
      return {data, length};
    }
    ThrowType(env_, "ids must be a Float64Array or Uint32Array");
  }

  Column Read(Napi::Value value, const char* what, uint32_t type) const {
    // Strings are passed as their ids. An arena has no other types without an array.
    const int array = type == OH_TYPE_STRING ? napi_uint32_array : ArrayOfElement(type);
    return ReadColumn(value, what, static_cast<napi_typedarray_type>(array), ids_.length);
  }

  Napi::Env env_;
  Bytes bytes_;
  oh_smallmap_arena_info info_{};
  Column ids_{};
  uint32_t id_type_ = OH_TYPE_F64;
  Column keys_{};
};

Napi::Value Count(const Napi::CallbackInfo& info, size_t count) {
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

// The largest heap of the format: 2^33 bytes.
constexpr double kMaxHeap = 8589934592.0;

// (bytes, maps, blocks, positions, strings, heap): the room required.
oh_smallmap_arena_room ReadRoom(const Napi::CallbackInfo& info) {
  oh_smallmap_arena_room room{};
  room.struct_size = sizeof room;
  room.maps = ReadU32(info[1], "maps");
  room.blocks = ReadU32(info[2], "blocks");
  room.positions = ReadU32(info[3], "positions");
  room.strings = ReadU32(info[4], "strings");
  room.heap = ReadInteger(info[5], "heap", kMaxHeap);
  return room;
}

Napi::Value RoomLength(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const oh_smallmap_arena_room room = ReadRoom(info);
  size_t length = 0;
  Check(info.Env(), oh_smallmap_arena_room_region_size(bytes.data, bytes.length, &room, &length));
  return Count(info, length);
}

void MakeRoom(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const oh_smallmap_arena_room room = ReadRoom(info);
  Check(info.Env(), oh_smallmap_arena_make_room(bytes.data, bytes.length, &room));
}

void Fit(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_smallmap_arena_make_room(bytes.data, bytes.length, nullptr));
}

void Promote(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_smallmap_arena_promote(bytes.data, bytes.length, ReadInteger(info[1], "id")));
}

void Clear(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_smallmap_arena_clear(bytes.data, bytes.length, ReadInteger(info[1], "id")));
}

void Release(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_smallmap_arena_release(bytes.data, bytes.length, ReadInteger(info[1], "id")));
}

Napi::Value GetMany(const Napi::CallbackInfo& info) {
  const Arena arena(info);
  const Column values = arena.Values(info[3]);
  uint8_t* const found = ReadFound(info[4], arena.count());
  size_t count = 0;
  Check(info.Env(),
        oh_smallmap_arena_get_many(arena.base(), arena.length(), arena.schema(), arena.ids(), arena.id_type(),
                                   arena.keys(), arena.count(), values.data, found, &count));
  return Count(info, count);
}

Napi::Value SetMany(const Napi::CallbackInfo& info) {
  const Arena arena(info);
  const Column values = arena.Values(info[3]);
  const size_t from = ReadSize(info[4], "from");
  size_t done = 0;
  Check(info.Env(),
        oh_smallmap_arena_set_many(arena.base(), arena.length(), arena.schema(), arena.ids(), arena.id_type(),
                                   arena.keys(), values.data, arena.count(), from, &done));
  return Count(info, done);
}

void CheckArena(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_smallmap_arena_check(bytes.data, bytes.length));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_smallmap_arena_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<RoomLength>(exports, "smallmapArenaRoomRegionSize");
  Export<MakeRoom>(exports, "smallmapArenaMakeRoom");
  Export<Fit>(exports, "smallmapArenaFit");
  Export<Promote>(exports, "smallmapArenaPromote");
  Export<Clear>(exports, "smallmapArenaClear");
  Export<Release>(exports, "smallmapArenaRelease");
  Export<GetMany>(exports, "smallmapArenaGetMany");
  Export<SetMany>(exports, "smallmapArenaSetMany");
  Export<CheckArena>(exports, "smallmapArenaCheck");
  Export<Validate>(exports, "smallmapArenaValidate");
}

}  // namespace offheap
