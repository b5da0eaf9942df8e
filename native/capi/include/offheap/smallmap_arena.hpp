// offheap/smallmap_arena.hpp: SmallMapArena and SmallMapArenaView. See offheap.hpp.
#ifndef OFFHEAP_SMALLMAP_ARENA_HPP
#define OFFHEAP_SMALLMAP_ARENA_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The maps of a region that something else owns: see SmallMapArena. A view only reads. It needs no
// lock unless another thread changes the arena.
//
// K: the number types, std::string_view (UTF-8). V: those, bool. Maps have ids. Calls with the id
// of a released map throw OH_ERR_STALE. The text returned points into the arena. It is valid until
// the arena grows, which any call that adds something may cause.
template <typename K, typename V>
class SmallMapArenaView {
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;
  static_assert((Keys::plain && !std::is_same_v<K, bool>) || std::is_same_v<K, std::string_view>,
                "keys are numbers or std::string_view");
  static_assert(Values::plain || std::is_same_v<V, std::string_view>,
                "values are numbers, bool or std::string_view");

 public:
  using Id = std::uint64_t;
  using Entry = std::pair<K, V>;

  // A view of nothing: its calls throw OH_ERR_TYPE.
  SmallMapArenaView() noexcept = default;
  // The arena in `length` bytes at `base`, which must outlive the view. Throws OH_ERR_TYPE unless
  // its maps are from K to V.
  SmallMapArenaView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    const oh_smallmap_arena_info info = this->info();
    if (info.key_type != Keys::number || info.value_type != Values::number) {
      throw Error(OH_ERR_TYPE, "the keys or values of the arena have other types");
    }
  }

  // The number of maps.
  std::uint32_t count() const { return info().maps; }

  // The number of entries of a map.
  std::uint32_t size(Id id) const { return measure(id).first; }
  // Whether the entries of a map are in the hash table: they move there when there are more than 8,
  // and stay until clear().
  bool promoted(Id id) const { return measure(id).second; }

  std::optional<V> get(Id id, const K& key) const {
    const std::optional<std::uint64_t> bits = known(key);
    if (!bits) {
      measure(id);  // throws for a stale id
      return std::nullopt;
    }
    std::uint64_t value = 0;
    bool found = false;
    check(oh_smallmap_arena_get(base_, length_, id, *bits, &value, &found));
    if (!found) return std::nullopt;
    return from_bits<V>(value);
  }

  bool contains(Id id, const K& key) const { return get(id, key).has_value(); }

  // The entries of a map in insertion order.
  std::vector<Entry> entries(Id id) const {
    using Key = Stored<K>;
    using Value = Stored<V>;
    for (std::size_t capacity = size(id);;) {
      std::vector<Key> keys(capacity);
      std::vector<Value> values(capacity);
      std::size_t count = 0;
      check(oh_smallmap_arena_entries(base_, length_, id, keys.data(), values.data(), capacity, &count));
      if (count > capacity) {  // the owner, on another thread, inserted entries meanwhile
        capacity = count;
        continue;
      }
      std::vector<Entry> entries;
      entries.reserve(count);
      for (std::size_t i = 0; i < count; i++) {
        entries.emplace_back(from_bits<K>(bits_of(keys[i])), from_bits<V>(bits_of(values[i])));
      }
      return entries;
    }
  }

  // Looks up `count` keys, keys[i] in the map ids[i], and returns the number of keys found. If
  // keys[i] is missing, values[i] is unchanged. Unless `found` is null, found[i] is set to 1 or 0.
  // Numbers and bool only.
  std::size_t get_many(const Id* ids, const K* keys, std::size_t count, V* values,
                       std::uint8_t* found = nullptr) const {
    static_assert(Keys::plain && Values::plain, "bulk calls require numbers or bool");
    std::size_t hits = 0;
    check(oh_smallmap_arena_get_many(base_, length_, kSchema, ids, OH_TYPE_U64, keys, count, values, found,
                                     &hits));
    return hits;
  }

  oh_smallmap_arena_info info() const {
    oh_smallmap_arena_info info;
    check(oh_smallmap_arena_get_info(base_, length_, &info));
    return info;
  }

  // Checks all contents, O(bytes). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_smallmap_arena_validate(base_, length_)); }

  const void* base() const noexcept { return base_; }
  // The length of the region in bytes. The memory may be longer.
  std::size_t region_size() const { return static_cast<std::size_t>(info().region_size); }

 protected:
  // The schema that arrays of K and V belong to.
  static constexpr std::uint32_t kSchema = Keys::number | Values::number << 8;

  // The type of an element of a column. Strings are represented by their ids.
  template <typename T>
  using Stored = std::conditional_t<std::is_same_v<T, std::string_view>, std::uint32_t,
                                    std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;

  // The bytes of a number, zero-extended.
  template <typename T>
  static std::uint64_t bits_of(const T& number) {
    if constexpr (std::is_same_v<T, bool>) {
      return number ? 1 : 0;
    } else if constexpr (std::is_same_v<T, float>) {
      return bit_cast<std::uint32_t>(number);
    } else if constexpr (std::is_same_v<T, double>) {
      return bit_cast<std::uint64_t>(number);
    } else {
      return static_cast<std::make_unsigned_t<T>>(number);
    }
  }

  template <typename T>
  T from_bits(std::uint64_t bits) const {
    if constexpr (std::is_same_v<T, std::string_view>) {
      const void* text = nullptr;
      std::size_t length = 0;
      check(oh_smallmap_arena_string(base_, length_, static_cast<std::uint32_t>(bits), &text, &length));
      return {static_cast<const char*>(text), length};
    } else if constexpr (std::is_same_v<T, float>) {
      return bit_cast<float>(static_cast<std::uint32_t>(bits));
    } else if constexpr (std::is_same_v<T, double>) {
      return bit_cast<double>(bits);
    } else {
      return static_cast<T>(bits);
    }
  }

  // The bits of a key. None for a string that the arena does not contain.
  std::optional<std::uint64_t> known(const K& key) const {
    if constexpr (Keys::plain) {
      return bits_of(key);
    } else {
      std::uint32_t id = 0;
      bool found = false;
      check(oh_smallmap_arena_find_string(base_, length_, key.data(), key.size(), &id, &found));
      if (!found) return std::nullopt;
      return id;
    }
  }

  void* base_ = nullptr;
  std::size_t length_ = 0;

 private:
  template <typename To, typename From>
  static To bit_cast(const From& from) {
    static_assert(sizeof(To) == sizeof(From), "the types have the same size");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
  }

  std::pair<std::uint32_t, bool> measure(Id id) const {
    std::uint32_t size = 0;
    bool promoted = false;
    check(oh_smallmap_arena_count(base_, length_, id, &size, &promoted));
    return {size, promoted};
  }
};

// A growable arena that owns its memory. One thread at a time. It is moved, not copied: copy_of()
// copies the region. The calls of a moved-from arena throw OH_ERR_TYPE.
//
//   offheap::SmallMapArena<std::uint32_t, double> arena;
//   const auto scores = arena.create();
//   arena.set(scores, 42, 9.5);
template <typename K, typename V>
class SmallMapArena : public internal::Owned<SmallMapArenaView<K, V>> {
  using View = SmallMapArenaView<K, V>;
  using Owned = internal::Owned<View>;
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;
  using View::base_;
  using View::length_;

 public:
  using typename View::Id;

  // With room for `maps` maps of four entries each.
  explicit SmallMapArena(std::uint32_t maps = 16) : SmallMapArena(options(maps)) {}

  // A copy of the arena in `length` bytes at `base`.
  static SmallMapArena copy_of(const void* base, std::size_t length) {
    return SmallMapArena(base, View(base, length).region_size());
  }

  // Creates an empty map and returns its id.
  Id create() {
    Id id = 0;
    with_room([&] { return oh_smallmap_arena_create(base_, length_, &id); }, {1, 0, 0, 0, 0});
    return id;
  }

  // Releases a map. Its id is stale from then on.
  void release(Id id) { check(oh_smallmap_arena_release(base_, length_, id)); }
  // Removes all entries of a map.
  void clear(Id id) { check(oh_smallmap_arena_clear(base_, length_, id)); }

  // Inserts a key of a map or replaces its value. The text may point into this arena.
  void set(Id id, const K& key, const V& value) {
    if constexpr (Keys::plain && Values::plain) {
      put(id, View::bits_of(key), View::bits_of(value), 0, 0);
    } else {
      // Copies, because growth moves the text that the arena returned.
      const Text<K> own_key(key);
      const Text<V> own_value(value);
      put(id, own_key, own_value, (Keys::plain ? 0u : 1u) + (Values::plain ? 0u : 1u),
          heap_of(own_key) + heap_of(own_value));
    }
  }

  // Removes a key of a map. Returns whether the map contained it.
  bool remove(Id id, const K& key) {
    const std::optional<std::uint64_t> bits = this->known(key);
    if (!bits) {
      this->size(id);  // throws for a stale id
      return false;
    }
    bool removed = false;
    with_room([&] { return oh_smallmap_arena_remove(base_, length_, id, *bits, &removed); }, {0, 1, 0, 0, 0});
    return removed;
  }

  // Sets keys[i] to values[i] in the map ids[i], in order. Numbers and bool only.
  void set_many(const Id* ids, const K* keys, const V* values, std::size_t count) {
    static_assert(Keys::plain && Values::plain, "bulk calls require numbers or bool");
    for (std::size_t done = 0;;) {
      check(oh_smallmap_arena_set_many(base_, length_, View::kSchema, ids, OH_TYPE_U64, keys, values, count,
                                       done, &done));
      if (done == count) return;
      set(ids[done], keys[done], values[done]);
    }
  }

  // Makes room for `maps` more maps of four entries each.
  void reserve(std::uint32_t maps) { make_room({maps, maps / 2 + 1, 0, 0, 0}); }

  // Shrinks the region to its contents. The memory keeps its length.
  void shrink_to_fit() { rebuild(nullptr); }

 private:
  // Additional maps, blocks, positions and strings, and the bytes of the strings.
  struct Room {
    std::uint32_t maps, blocks, positions, strings;
    std::uint64_t heap;
  };

  template <typename T>
  using Text = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;

  template <typename T>
  static std::uint64_t heap_of(const T& item) {
    if constexpr (std::is_same_v<T, std::string>) return item.size() + 8;
    return 0;
  }

  static oh_smallmap_arena_options options(std::uint32_t maps) {
    oh_smallmap_arena_options options = {};
    options.struct_size = sizeof options;
    options.key_type = Keys::number;
    options.value_type = Values::number;
    options.maps = maps;
    return options;
  }

  static std::size_t length_of(const oh_smallmap_arena_options& options) {
    std::size_t length = 0;
    check(oh_smallmap_arena_region_size(&options, &length));
    return length;
  }

  SmallMapArena(const void* base, std::size_t length) : Owned(base, length) {}

  explicit SmallMapArena(const oh_smallmap_arena_options& options) : Owned(length_of(options)) {
    check(oh_smallmap_arena_init(this->memory().data(), this->memory().length(), &options));
    this->show();
  }

  // Calls `attempt`, and makes room before another attempt if the arena is full.
  template <typename Attempt>
  void with_room(Attempt attempt, const Room& room) {
    oh_status status = attempt();
    // Up to two attempts: if packing slots and dropping strings does not make enough room, growth
    // does.
    for (int i = 0; i < 2 && status == OH_ERR_FULL; i++) {
      make_room(room);
      status = attempt();
    }
    check(status);
  }

  template <typename T>
  oh_status stored(const T& item, std::uint64_t& bits) {
    if constexpr (std::is_same_v<T, std::string>) {
      std::uint32_t id = 0;
      const oh_status status = oh_smallmap_arena_intern(base_, length_, item.data(), item.size(), &id);
      bits = id;
      return status;
    } else {
      bits = View::bits_of(item);
      return OH_OK;
    }
  }

  template <typename Key, typename Value>
  void put(Id id, const Key& key, const Value& value, std::uint32_t strings, std::uint64_t heap) {
    // The ninth entry of a map moves the other eight.
    const bool large = this->size(id) >= 8;
    const auto attempt = [&] {
      std::uint64_t key_bits = 0, value_bits = 0;
      // Interned again in each attempt: making room drops strings that no entry refers to.
      oh_status status = stored(key, key_bits);
      if (status == OH_OK) status = stored(value, value_bits);
      if (status == OH_OK) status = oh_smallmap_arena_set(base_, length_, id, key_bits, value_bits);
      return status;
    };
    with_room(attempt, {0, large ? 0u : 1u, large ? 10u : 0u, strings, heap});
  }

  void make_room(const Room& wanted) {
    oh_smallmap_arena_room room = {};
    room.struct_size = sizeof room;
    room.maps = wanted.maps;
    room.blocks = wanted.blocks;
    room.positions = wanted.positions;
    room.strings = wanted.strings;
    room.heap = wanted.heap;
    rebuild(&room);
  }

  void rebuild(const oh_smallmap_arena_room* room) {
    std::size_t needed = 0;
    check(oh_smallmap_arena_room_region_size(base_, length_, room, &needed));
    if (needed > length_) this->grow(needed);
    check(oh_smallmap_arena_make_room(base_, length_, room));
  }
};

}  // namespace offheap

#endif  // OFFHEAP_SMALLMAP_ARENA_HPP
