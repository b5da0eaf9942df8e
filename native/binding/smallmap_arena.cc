// Bulk and heavy calls on SmallMapArena regions. Operations on one element stand in TypeScript
// (src/smallmap/), because a crossing costs more than they do.
//
// `bytes` is a view of the whole buffer that the region lies in; arrays of keys and values must
// have the element type of the arena's schema, which is asked of the region itself. Strings are ids
// by now.
#include <string>

#include "args.h"
#include "elements.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct Array {
  void* data;
  size_t length;
};

class Arena {
 public:
  explicit Arena(const Napi::CallbackInfo& info) : env_(info.Env()), bytes_(ReadBytes(info[0], "bytes")) {
    Check(env_, oh_smallmap_arena_get_info(bytes_.data, bytes_.length, &info_));
    ids_ = ReadIds(info[1]);
    keys_ = Read(info[2], "keys", info_.key_type);
  }

  // As many values as there are ids.
  Array Values(Napi::Value value) const { return Read(value, "values", info_.value_type); }

  uint8_t* Found(Napi::Value value) const {
    if (value.IsUndefined()) return nullptr;
    const Elements<uint8_t> found = ReadElements<uint8_t>(value, "found");
    return static_cast<uint8_t*>(Counted({found.data, found.length}, "found").data);
  }

  void* base() const { return bytes_.data; }
  size_t length() const { return bytes_.length; }
  const void* ids() const { return ids_.data; }
  uint32_t id_type() const { return id_type_; }
  const void* keys() const { return keys_.data; }
  size_t count() const { return ids_.length; }
  // What the arrays were checked against; the region may say something else by the time of the
  // call.
  uint32_t schema() const { return info_.key_type | info_.value_type << 8; }

 private:
  Array ReadIds(Napi::Value value) {
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

  Array Read(Napi::Value value, const char* what, uint32_t type) const {
    size_t length = 0;
    // Strings are passed as their ids. An arena has no other types without an array.
    const int wanted = type == OH_TYPE_STRING ? napi_uint32_array : ArrayOfElement(type);
    void* data = internal::ReadTyped(value, what, static_cast<napi_typedarray_type>(wanted), &length);
    return Counted({data, length}, what);
  }

  Array Counted(Array array, const char* what) const {
    if (array.length < ids_.length) {
      ThrowRange(env_, std::string(what) + " has " + std::to_string(array.length) + " elements, fewer than " +
                           std::to_string(ids_.length));
    }
    return array;
  }

  Napi::Env env_;
  Bytes bytes_;
  oh_smallmap_arena_info info_{};
  Array ids_{};
  uint32_t id_type_ = OH_TYPE_F64;
  Array keys_{};
};

Napi::Value Count(const Napi::CallbackInfo& info, size_t count) {
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

constexpr double kMaxHeap = 8589934592.0;

// (bytes, maps, blocks, positions, strings, heap): what must fit.
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
  const Array values = arena.Values(info[3]);
  uint8_t* found = arena.Found(info[4]);
  size_t count = 0;
  Check(info.Env(),
        oh_smallmap_arena_get_many(arena.base(), arena.length(), arena.schema(), arena.ids(), arena.id_type(),
                                   arena.keys(), arena.count(), values.data, found, &count));
  return Count(info, count);
}

Napi::Value SetMany(const Napi::CallbackInfo& info) {
  const Arena arena(info);
  const Array values = arena.Values(info[3]);
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
