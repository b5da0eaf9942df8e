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

// What every arena of small maps can do that is in memory somewhere: see SmallMapArenaView and
// SmallMapArena.
//
// K: the numbers, std::string_view (UTF-8). V: those, bool. Maps have ids; one that was released is
// refused with OH_ERR_STALE. Text that is returned points into the arena: it is good until that
// grows, which all that adds something may do.
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

  // The arena in `length` bytes at `base`, which must outlive the view. Throws unless it is one
  // from K to V.
  SmallMapArenaView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    const oh_smallmap_arena_info info = this->info();
    if (info.key_type != Keys::number || info.value_type != Values::number) {
      throw Error(OH_ERR_TYPE, "the arena's keys or values are of other types");
    }
  }

  // How many maps there are.
  std::uint32_t count() const { return info().maps; }

  // How many entries a map has.
  std::uint32_t size(Id id) const { return measure(id).first; }
  // Whether they are in the hash table: since there were more than 8, until clear().
  bool promoted(Id id) const { return measure(id).second; }

  std::optional<V> get(Id id, const K& key) const {
    const std::optional<std::uint64_t> bits = known(key);
    if (!bits) {
      measure(id);  // refuses stale ids
      return std::nullopt;
    }
    std::uint64_t value = 0;
    bool found = false;
    check(oh_smallmap_arena_get(base_, length_, id, *bits, &value, &found));
    if (!found) return std::nullopt;
    return from_bits<V>(value);
  }

  bool contains(Id id, const K& key) const { return get(id, key).has_value(); }

  // A map's entries in the order of insertion.
  std::vector<Entry> entries(Id id) const {
    using Key = Stored<K>;
    using Value = Stored<V>;
    for (std::size_t capacity = size(id);;) {
      std::vector<Key> keys(capacity);
      std::vector<Value> values(capacity);
      std::size_t count = 0;
      check(oh_smallmap_arena_entries(base_, length_, id, keys.data(), values.data(), capacity, &count));
      if (count > capacity) {  // its owner, on another thread, was faster
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

  // Looks `count` keys up at once, keys[i] in the map ids[i]. values[i] is left as it was where
  // keys[i] is missing; found[i], if found is not null, tells. Returns how many were found. Numbers
  // and bool only.
  std::size_t get_many(const Id* ids, const K* keys, std::size_t count, V* values,
                       std::uint8_t* found = nullptr) const {
    static_assert(Keys::plain && Values::plain, "bulk calls take numbers");
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

  // Proves that all contents are sound; throws if not.
  void validate() const { check(oh_smallmap_arena_validate(base_, length_)); }

  const void* base() const noexcept { return base_; }
  // Bytes of the region: what to save. The memory may be longer.
  std::size_t region_size() const { return static_cast<std::size_t>(info().region_size); }

 protected:
  // What arrays of K and V are right for.
  static constexpr std::uint32_t kSchema = Keys::number | Values::number << 8;

  // What a column holds: ids of strings.
  template <typename T>
  using Stored = std::conditional_t<std::is_same_v<T, std::string_view>, std::uint32_t,
                                    std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;

  // For an arena whose constructor looks at its memory by itself.
  SmallMapArenaView() = default;

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

  // The bits of a key, if any map can have it.
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
    static_assert(sizeof(To) == sizeof(From), "the same bytes");
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

// An arena that owns its memory, and grows by itself. Moves, does not copy: copy the bytes if you
// must.
//
//   offheap::SmallMapArena<std::uint32_t, double> arena;
//   const auto scores = arena.create();
//   arena.set(scores, 42, 9.5);
template <typename K, typename V>
class SmallMapArena : public SmallMapArenaView<K, V> {
  using View = SmallMapArenaView<K, V>;
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;
  using View::base_;
  using View::length_;

 public:
  using typename View::Id;

  // With room for so many maps of four entries.
  explicit SmallMapArena(std::uint32_t maps = 16) : SmallMapArena(options(maps)) {}

  // What was moved from has no memory: its calls throw.
  SmallMapArena(SmallMapArena&& other) noexcept : View(other), memory_(std::move(other.memory_)) {
    other.base_ = nullptr;
    other.length_ = 0;
  }
  SmallMapArena& operator=(SmallMapArena&& other) noexcept {
    SmallMapArena taken(std::move(other));
    std::swap(static_cast<View&>(*this), static_cast<View&>(taken));
    std::swap(memory_, taken.memory_);
    return *this;
  }

  // A copy of the arena in these bytes.
  static SmallMapArena copy_of(const void* base, std::size_t length) {
    const View view(base, length);
    SmallMapArena arena(internal::Memory(view.region_size()));
    std::memcpy(arena.base_, base, arena.length_);
    return arena;
  }

  // Makes an empty map.
  Id create() {
    Id id = 0;
    insist([&] { return oh_smallmap_arena_create(base_, length_, &id); }, {1, 0, 0, 0, 0});
    return id;
  }

  // Gives a map back: its id is stale from then on.
  void release(Id id) { check(oh_smallmap_arena_release(base_, length_, id)); }
  // Removes all entries of a map.
  void clear(Id id) { check(oh_smallmap_arena_clear(base_, length_, id)); }

  // Gives a key of a map a value. Text may be from this very arena.
  void set(Id id, const K& key, const V& value) {
    if constexpr (Keys::plain && Values::plain) {
      put(id, View::bits_of(key), View::bits_of(value), 0, 0);
    } else {
      // Copies, because growth moves what the arena gave out.
      const Text<K> own_key(key);
      const Text<V> own_value(value);
      put(id, own_key, own_value, (Keys::plain ? 0u : 1u) + (Values::plain ? 0u : 1u),
          heap_of(own_key) + heap_of(own_value));
    }
  }

  // Removes a key of a map. Returns whether it was there.
  bool remove(Id id, const K& key) {
    const std::optional<std::uint64_t> bits = this->known(key);
    if (!bits) {
      this->size(id);  // refuses stale ids
      return false;
    }
    bool removed = false;
    insist([&] { return oh_smallmap_arena_remove(base_, length_, id, *bits, &removed); }, {0, 1, 0, 0, 0});
    return removed;
  }

  // Sets keys[i] to values[i] in the map ids[i], in order. Numbers and bool only.
  void set_many(const Id* ids, const K* keys, const V* values, std::size_t count) {
    static_assert(Keys::plain && Values::plain, "bulk calls take numbers");
    for (std::size_t done = 0;;) {
      check(oh_smallmap_arena_set_many(base_, length_, View::kSchema, ids, OH_TYPE_U64, keys, values, count,
                                       done, &done));
      if (done == count) return;
      set(ids[done], keys[done], values[done]);
    }
  }

  // Makes room for so many maps more, of four entries each.
  void reserve(std::uint32_t maps) { grow({maps, maps / 2 + 1, 0, 0, 0}); }

  // Gives up what is not in use.
  void shrink_to_fit() { rebuild(nullptr); }

 private:
  // Maps, blocks, positions, strings, bytes of them.
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

  explicit SmallMapArena(internal::Memory memory) : memory_(std::move(memory)) {
    base_ = memory_.data();
    length_ = memory_.length();
  }

  explicit SmallMapArena(const oh_smallmap_arena_options& options)
      : SmallMapArena(internal::Memory(length_of(options))) {
    check(oh_smallmap_arena_init(base_, length_, &options));
  }

  // Does what may need room, and makes that.
  template <typename Attempt>
  void insist(Attempt attempt, const Room& room) {
    oh_status status = attempt();
    // Twice, because what packs slots or drops strings may not make room enough where growth does.
    for (int i = 0; i < 2 && status == OH_ERR_FULL; i++) {
      grow(room);
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
      // Both anew each time: making room drops strings that no entry refers to.
      oh_status status = stored(key, key_bits);
      if (status == OH_OK) status = stored(value, value_bits);
      if (status == OH_OK) status = oh_smallmap_arena_set(base_, length_, id, key_bits, value_bits);
      return status;
    };
    insist(attempt, {0, large ? 0u : 1u, large ? 10u : 0u, strings, heap});
  }

  void grow(const Room& wanted) {
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
    if (needed > length_) {
      internal::Memory larger(needed);
      std::memcpy(larger.data(), base_, length_);
      memory_ = std::move(larger);
      base_ = memory_.data();
      length_ = needed;
    }
    check(oh_smallmap_arena_make_room(base_, length_, room));
  }

  internal::Memory memory_;
};

}  // namespace offheap

#endif  // OFFHEAP_SMALLMAP_ARENA_HPP
