// offheap/smallmap.hpp: SmallMap. See offheap.hpp.
#ifndef OFFHEAP_SMALLMAP_HPP
#define OFFHEAP_SMALLMAP_HPP

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// A standalone map for a few entries. Up to 8 entries are stored inline and searched with vector
// instructions. More entries promote the map to a hash table. Iteration is in insertion order. One
// thread at a time. It is moved, not copied. The calls of a moved-from map throw OH_ERR_TYPE.
//
// K: the number types, std::string_view (UTF-8) or Bytes. V: the number types or bool.
// The text and bytes returned point into the map and are valid until it is changed.
template <typename K, typename V>
class SmallMap {
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;

 public:
  using Entry = std::pair<K, V>;

  SmallMap() : map_(internal::make_handle<Map>(oh_standalone_smallmap_new, Keys::number, Values::number)) {}

  std::size_t size() const {
    std::size_t size = 0;
    check(oh_standalone_smallmap_count(map_.get(), &size));
    return size;
  }
  bool empty() const { return size() == 0; }

  // Whether the entries are in a hash table: they move there when there are more than 8, and stay
  // until clear().
  bool promoted() const {
    bool promoted = false;
    check(oh_standalone_smallmap_promoted(map_.get(), &promoted));
    return promoted;
  }

  std::optional<V> get(const K& key) const {
    const void* value = nullptr;
    std::size_t value_length = 0;
    check(oh_standalone_smallmap_get(map_.get(), Keys::data(key), Keys::size(key), &value, &value_length));
    if (value == nullptr) return std::nullopt;
    return Values::read(value, value_length);
  }

  bool contains(const K& key) const { return get(key).has_value(); }

  // Inserts a key or replaces its value. Returns whether the key is new.
  bool set(const K& key, const V& value) {
    bool inserted = false;
    check(oh_standalone_smallmap_set(map_.get(), Keys::data(key), Keys::size(key), Values::data(value),
                                     Values::size(value), &inserted));
    return inserted;
  }

  // Returns whether the map contained the key.
  bool remove(const K& key) {
    bool removed = false;
    check(oh_standalone_smallmap_remove(map_.get(), Keys::data(key), Keys::size(key), &removed));
    return removed;
  }

  void clear() { check(oh_standalone_smallmap_clear(map_.get())); }

  // Makes room for `entries` entries in all. More than 8 promote the map.
  void reserve(std::size_t entries) { check(oh_standalone_smallmap_reserve(map_.get(), entries)); }

  // Entries in insertion order: for (auto [key, value] : map)
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = Entry;

    Entry operator*() const {
      return {Keys::read(entry_.key, entry_.key_length), Values::read(entry_.value, entry_.value_length)};
    }
    Iterator& operator++() {
      check(oh_standalone_smallmap_next(map_, &cursor_, &entry_));
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return cursor_ == other.cursor_; }
    bool operator!=(const Iterator& other) const { return !(*this == other); }

   private:
    friend class SmallMap;
    explicit Iterator(const oh_standalone_smallmap* map) : map_(map) {}
    const oh_standalone_smallmap* map_;
    std::size_t cursor_ = 0;
    oh_standalone_smallmap_entry entry_ = {};
  };

  Iterator begin() const {
    Iterator iterator(map_.get());
    return ++iterator;
  }
  Iterator end() const { return Iterator(map_.get()); }

  // The handle for C functions, which this map owns.
  oh_standalone_smallmap* handle() const noexcept { return map_.get(); }

 private:
  using Map = internal::Handle<oh_standalone_smallmap, oh_standalone_smallmap_free>;

  Map map_;
};

}  // namespace offheap

#endif  // OFFHEAP_SMALLMAP_HPP
