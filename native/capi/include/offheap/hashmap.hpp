// offheap/hashmap.hpp: HashMap and HashMapView. See offheap.hpp.
#ifndef OFFHEAP_HASHMAP_HPP
#define OFFHEAP_HASHMAP_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The entries of a region that something else owns: see HashMap. A view only reads. It needs no
// lock unless another thread changes the map.
//
// K: std::uint32_t, std::int32_t, double, std::uint64_t, std::int64_t, std::string_view, Bytes.
// V: those, the other number types, bool. Text is UTF-8.
//
// The text and bytes returned point into the map. They are valid until the map is rebuilt (`set`
// may do that) or cleared. Do not pass them to `set` of the same map.
template <typename K, typename V>
class HashMapView {
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;

 public:
  using Entry = std::pair<K, V>;

  // A view of nothing: its calls throw OH_ERR_TYPE.
  HashMapView() noexcept = default;
  // The map in `length` bytes at `base`, which must outlive the view. Throws OH_ERR_TYPE unless it
  // is a map from K to V.
  HashMapView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    std::uint32_t key_type = 0, value_type = 0;
    check(oh_hashmap_types(base, length, &key_type, &value_type));
    if (key_type != Keys::number || value_type != Values::number) {
      throw Error(OH_ERR_TYPE, "the keys or values of the map have other types");
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
    bool found = false;
    check(oh_hashmap_has(base_, length_, Keys::data(key), Keys::size(key), &found));
    return found;
  }

  // The entry of a handle, or none after the entry was removed.
  std::optional<Entry> get_by_handle(std::uint64_t handle) const {
    oh_hashmap_entry entry;
    const oh_status status = oh_hashmap_get_by_handle(base_, length_, handle, &entry);
    if (status == OH_ERR_STALE) return std::nullopt;
    check(status);
    return read(entry);
  }

  // Looks up `count` keys and returns the number of keys found. If keys[i] is missing, values[i] is
  // unchanged. Unless `found` is null, found[i] is set to 1 or 0. Numbers and bool only.
  std::size_t get_many(const K* keys, std::size_t count, V* values, std::uint8_t* found = nullptr) const {
    static_assert(Keys::plain && Values::plain, "bulk calls require numbers or bool");
    std::size_t hits = 0;
    check(oh_hashmap_get_many(base_, length_, kSchema, keys, count, values, found, &hits));
    return hits;
  }

  // Entries in insertion order: for (auto [key, value] : map)
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

  // Checks all contents, O(bytes). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_hashmap_validate(base_, length_)); }

  const void* base() const noexcept { return base_; }
  // The length of the region in bytes. The memory may be longer.
  std::size_t region_size() const { return static_cast<std::size_t>(info().region_size); }

 protected:
  // The schema that arrays of K and V belong to.
  static constexpr std::uint32_t kSchema = Keys::number | Values::number << 8;

  static Entry read(const oh_hashmap_entry& entry) {
    return {Keys::read(entry.key, entry.key_length), Values::read(entry.value, entry.value_length)};
  }

  void* base_ = nullptr;
  std::size_t length_ = 0;
};

// A growable map that owns its memory. One thread at a time. Lookups, insertions and removals take
// constant time on average. It is moved, not copied: copy_of() copies the region. The calls of a
// moved-from map throw OH_ERR_TYPE.
template <typename K, typename V>
class HashMap : public internal::Owned<HashMapView<K, V>> {
  using View = HashMapView<K, V>;
  using Owned = internal::Owned<View>;
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;
  using View::base_;
  using View::length_;

 public:
  explicit HashMap(std::uint32_t capacity = 12) : HashMap(options(capacity)) {}

  // A copy of the map in `length` bytes at `base`.
  static HashMap copy_of(const void* base, std::size_t length) {
    return HashMap(base, View(base, length).region_size());
  }

  // Inserts a key or replaces its value. Returns whether the key is new.
  bool set(const K& key, const V& value) {
    bool inserted = false;
    const auto attempt = [&] {
      return oh_hashmap_set(base_, length_, Keys::data(key), Keys::size(key), Values::data(value),
                            Values::size(value), &inserted);
    };
    oh_status status = attempt();
    // Up to two attempts: if a compaction does not make enough room, growth does.
    for (int i = 0; i < 2 && status == OH_ERR_FULL; i++) {
      make_room(Keys::size(key) + Values::size(value) + 16);
      status = attempt();
    }
    check(status);
    return inserted;
  }

  // Returns whether the map contained the key.
  bool remove(const K& key) {
    bool removed = false;
    check(oh_hashmap_remove(base_, length_, Keys::data(key), Keys::size(key), &removed));
    return removed;
  }

  // A number that identifies the entry of a key until the entry is removed. 0 for a missing key.
  std::uint64_t handle_of(const K& key) {
    std::uint64_t handle = 0;
    check(oh_hashmap_handle_of(base_, length_, Keys::data(key), Keys::size(key), &handle));
    return handle;
  }

  // Sets keys[i] to values[i]. Numbers and bool only.
  void set_many(const K* keys, const V* values, std::size_t count) {
    static_assert(Keys::plain && Values::plain, "bulk calls require numbers or bool");
    std::size_t done = 0;
    for (;;) {
      check(oh_hashmap_set_many(base_, length_, View::kSchema, keys, values, count, done, &done));
      if (done == count) return;
      make_room(0);
    }
  }

  // Removes `count` keys and returns the number of keys found.
  std::size_t remove_many(const K* keys, std::size_t count) {
    static_assert(Keys::plain, "bulk calls require numbers or bool");
    std::size_t removed = 0;
    check(oh_hashmap_remove_many(base_, length_, View::kSchema, keys, count, &removed));
    return removed;
  }

  void clear() { check(oh_hashmap_clear(base_, length_)); }

  // Makes room for `capacity` entries in all.
  void reserve(std::uint32_t capacity) {
    const oh_hashmap_info info = this->info();
    if (capacity > info.capacity) rebuild(capacity, info.heap_capacity);
  }

  // Rebuilds the map with the smallest table and heap that its entries need. The memory keeps its
  // length; region_size() becomes smaller.
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

  HashMap(const void* base, std::size_t length) : Owned(base, length) {}

  explicit HashMap(const oh_hashmap_options& options) : Owned(length_of(options)) {
    check(oh_hashmap_init(this->memory().data(), this->memory().length(), &options));
    this->show();
  }

  void make_room(std::size_t blob_bytes) {
    const oh_hashmap_info info = this->info();
    std::uint32_t capacity = info.capacity;
    const std::uint64_t living = info.heap_used - info.heap_garbage + blob_bytes;
    const bool blobs = !Keys::plain || !Values::plain;
    // If only the heap is full, the capacity for entries stays.
    if (!blobs || info.used == info.capacity || info.heap_used + blob_bytes <= info.heap_capacity) {
      check(oh_hashmap_next_capacity(base_, length_, &capacity));
    }
    rebuild(capacity, blobs ? std::max(info.heap_capacity, living + living / 2) : 0);
  }

  void rebuild(std::uint32_t capacity, std::uint64_t heap) {
    std::size_t needed = 0;
    check(oh_hashmap_rebuild_region_size(base_, length_, capacity, heap, &needed));
    if (needed > length_) this->grow(needed);
    check(oh_hashmap_rebuild(base_, length_, capacity, heap));
  }
};

}  // namespace offheap

#endif  // OFFHEAP_HASHMAP_HPP
