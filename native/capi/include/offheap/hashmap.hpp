// offheap/hashmap.hpp: HashMap and HashMapView. See offheap.hpp.
#ifndef OFFHEAP_HASHMAP_HPP
#define OFFHEAP_HASHMAP_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// What every map can do that is in memory somewhere: see HashMapView and HashMap.
//
// K: std::uint32_t, std::int32_t, double, std::uint64_t, std::int64_t, std::string_view, Bytes.
// V: those, the other numbers, bool. Text is UTF-8.
//
// Views that are returned (std::string_view, Bytes) point into the map: they are good until it is
// rebuilt (which `set` may do) or cleared. Do not pass one to `set` of the map that it came from.
template <typename K, typename V>
class HashMapView {
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;

 public:
  using Entry = std::pair<K, V>;

  // The map in `length` bytes at `base`, which must outlive the view. Throws unless it is one from
  // K to V.
  HashMapView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    std::uint32_t key_type = 0, value_type = 0;
    check(oh_hashmap_types(base, length, &key_type, &value_type));
    if (key_type != Keys::number || value_type != Values::number) {
      throw Error(OH_ERR_TYPE, "the map's keys or values are of other types");
    }
  }

  std::uint32_t size() const {
    std::uint32_t size = 0;
    check(oh_hashmap_count(base_, length_, &size));
    return size;
  }
  bool empty() const { return size() == 0; }

  std::optional<V> get(const K& key) const {
    const void* value = nullptr;
    std::size_t value_length = 0;
    check(oh_hashmap_get(base_, length_, Keys::data(key), Keys::size(key), &value, &value_length));
    if (value == nullptr) return std::nullopt;
    return Values::read(value, value_length);
  }

  bool contains(const K& key) const {
    bool there = false;
    check(oh_hashmap_has(base_, length_, Keys::data(key), Keys::size(key), &there));
    return there;
  }

  // The entry that a handle names, while it lives.
  std::optional<Entry> get_by_handle(std::uint64_t handle) const {
    oh_hashmap_entry entry;
    const oh_status status = oh_hashmap_get_by_handle(base_, length_, handle, &entry);
    if (status == OH_ERR_STALE) return std::nullopt;
    check(status);
    return read(entry);
  }

  // Looks `count` keys up at once. values[i] is left as it was where keys[i] is missing; found[i],
  // if found is not null, tells. Returns how many were found. Numbers and bool only.
  std::size_t get_many(const K* keys, std::size_t count, V* values, std::uint8_t* found = nullptr) const {
    static_assert(Keys::plain && Values::plain, "bulk calls take numbers");
    std::size_t hits = 0;
    check(oh_hashmap_get_many(base_, length_, kSchema, keys, count, values, found, &hits));
    return hits;
  }

  // Entries in insertion order: for (auto [key, value] : map) …
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = Entry;

    Entry operator*() const { return read(entry_); }
    Iterator& operator++() {
      check(oh_hashmap_next(map_->base_, map_->length_, &cursor_, &entry_));
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return cursor_ == other.cursor_; }
    bool operator!=(const Iterator& other) const { return !(*this == other); }

   private:
    friend class HashMapView;
    explicit Iterator(const HashMapView* map) : map_(map) {}
    const HashMapView* map_;
    std::uint32_t cursor_ = 0;
    oh_hashmap_entry entry_ = {};
  };

  Iterator begin() const {
    Iterator iterator(this);
    return ++iterator;
  }
  Iterator end() const { return Iterator(this); }

  oh_hashmap_info info() const {
    oh_hashmap_info info;
    check(oh_hashmap_get_info(base_, length_, &info));
    return info;
  }

  // Proves that all contents are sound; throws if not.
  void validate() const { check(oh_hashmap_validate(base_, length_)); }

  const void* base() const noexcept { return base_; }
  // Bytes of the region: what to save. The memory may be longer.
  std::size_t region_size() const { return static_cast<std::size_t>(info().region_size); }

 protected:
  // What arrays of K and V are right for.
  static constexpr std::uint32_t kSchema = Keys::number | Values::number << 8;

  // For a map whose constructor looks at its memory by itself.
  HashMapView() = default;

  static Entry read(const oh_hashmap_entry& entry) {
    return {Keys::read(entry.key, entry.key_length), Values::read(entry.value, entry.value_length)};
  }

  void* base_ = nullptr;
  std::size_t length_ = 0;
};

// A map that owns its memory, and grows by itself. Moves, does not copy: copy the bytes if you
// must.
template <typename K, typename V>
class HashMap : public HashMapView<K, V> {
  using View = HashMapView<K, V>;
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;
  using View::base_;
  using View::length_;

 public:
  explicit HashMap(std::uint32_t capacity = 12) : HashMap(options(capacity)) {}

  // What was moved from has no memory: its calls throw.
  HashMap(HashMap&& other) noexcept : View(other), memory_(std::move(other.memory_)) {
    other.base_ = nullptr;
    other.length_ = 0;
  }
  HashMap& operator=(HashMap&& other) noexcept {
    HashMap taken(std::move(other));
    std::swap(static_cast<View&>(*this), static_cast<View&>(taken));
    std::swap(memory_, taken.memory_);
    return *this;
  }

  // A copy of the map in these bytes.
  static HashMap copy_of(const void* base, std::size_t length) {
    const View view(base, length);
    HashMap map(internal::Memory(view.region_size()));
    std::memcpy(map.base_, base, map.length_);
    return map;
  }

  // Inserts a key or gives it a new value. Returns whether the key was new.
  bool set(const K& key, const V& value) {
    bool inserted = false;
    const auto attempt = [&] {
      return oh_hashmap_set(base_, length_, Keys::data(key), Keys::size(key), Values::data(value),
                            Values::size(value), &inserted);
    };
    oh_status status = attempt();
    // Twice, because a compaction may not make room enough where growth does.
    for (int i = 0; i < 2 && status == OH_ERR_FULL; i++) {
      grow(Keys::size(key) + Values::size(value) + 16);
      status = attempt();
    }
    check(status);
    return inserted;
  }

  // Returns whether the key was there.
  bool remove(const K& key) {
    bool removed = false;
    check(oh_hashmap_remove(base_, length_, Keys::data(key), Keys::size(key), &removed));
    return removed;
  }

  // A number that names a key's entry for as long as it lives; 0 if the key is not there.
  std::uint64_t handle_of(const K& key) {
    std::uint64_t handle = 0;
    check(oh_hashmap_handle_of(base_, length_, Keys::data(key), Keys::size(key), &handle));
    return handle;
  }

  // Sets keys[i] to values[i]. Numbers and bool only.
  void set_many(const K* keys, const V* values, std::size_t count) {
    static_assert(Keys::plain && Values::plain, "bulk calls take numbers");
    std::size_t done = 0;
    for (;;) {
      check(oh_hashmap_set_many(base_, length_, View::kSchema, keys, values, count, done, &done));
      if (done == count) return;
      grow(0);
    }
  }

  // Returns how many of the keys were there.
  std::size_t remove_many(const K* keys, std::size_t count) {
    static_assert(Keys::plain, "bulk calls take numbers");
    std::size_t removed = 0;
    check(oh_hashmap_remove_many(base_, length_, View::kSchema, keys, count, &removed));
    return removed;
  }

  void clear() { check(oh_hashmap_clear(base_, length_)); }

  // Makes room for so many entries in all.
  void reserve(std::uint32_t capacity) {
    const oh_hashmap_info info = this->info();
    if (capacity > info.capacity) rebuild(capacity, info.heap_capacity);
  }

  // Gives up what a smaller map would not need.
  void shrink_to_fit() { rebuild(std::max(this->size(), 1u), 0); }

 private:
  static oh_hashmap_options options(std::uint32_t capacity) {
    oh_hashmap_options options = {};
    options.struct_size = sizeof options;
    options.key_type = Keys::number;
    options.value_type = Values::number;
    options.capacity = capacity;
    const int blobs = (Keys::plain ? 0 : 1) + (Values::plain ? 0 : 1);
    options.heap_capacity = std::uint64_t{16} * capacity * static_cast<unsigned>(blobs);
    return options;
  }

  static std::size_t length_of(const oh_hashmap_options& options) {
    std::size_t length = 0;
    check(oh_hashmap_region_size(&options, &length));
    return length;
  }

  explicit HashMap(internal::Memory memory) : memory_(std::move(memory)) {
    base_ = memory_.data();
    length_ = memory_.length();
  }

  explicit HashMap(const oh_hashmap_options& options) : HashMap(internal::Memory(length_of(options))) {
    check(oh_hashmap_init(base_, length_, &options));
  }

  void grow(std::size_t blob_bytes) {
    const oh_hashmap_info info = this->info();
    std::uint32_t capacity = info.capacity;
    const std::uint64_t living = info.heap_used - info.heap_garbage + blob_bytes;
    const bool blobs = !Keys::plain || !Values::plain;
    // A heap that is full needs no more entries.
    if (!blobs || info.used == info.capacity || info.heap_used + blob_bytes <= info.heap_capacity) {
      check(oh_hashmap_next_capacity(base_, length_, &capacity));
    }
    rebuild(capacity, blobs ? std::max(info.heap_capacity, living + living / 2) : 0);
  }

  void rebuild(std::uint32_t capacity, std::uint64_t heap) {
    std::size_t needed = 0;
    check(oh_hashmap_rebuild_region_size(base_, length_, capacity, heap, &needed));
    if (needed > length_) {
      internal::Memory larger(needed);
      std::memcpy(larger.data(), base_, length_);
      memory_ = std::move(larger);
      base_ = memory_.data();
      length_ = needed;
    }
    check(oh_hashmap_rebuild(base_, length_, capacity, heap));
  }

  internal::Memory memory_;
};

}  // namespace offheap

#endif  // OFFHEAP_HASHMAP_HPP
