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

namespace offheap {

// A map of a few entries that stands alone: up to 8 lie in it and are searched with vector
// instructions, more promote it to a hash table. Insertion order. Moves, does not copy.
//
// K: the numbers, std::string_view (UTF-8) or Bytes. V: the numbers or bool.
// Views that are returned point into the map: they are good until it is changed.
template <typename K, typename V>
class SmallMap {
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;

 public:
  using Entry = std::pair<K, V>;

  SmallMap() { check(oh_standalone_smallmap_new(Keys::number, Values::number, &map_)); }
  // What was moved from has no map: its calls throw.
  SmallMap(SmallMap&& other) noexcept : map_(std::exchange(other.map_, nullptr)) {}
  SmallMap& operator=(SmallMap&& other) noexcept {
    SmallMap taken(std::move(other));
    std::swap(map_, taken.map_);
    return *this;
  }
  ~SmallMap() { oh_standalone_smallmap_free(map_); }

  std::size_t size() const {
    std::size_t size = 0;
    check(oh_standalone_smallmap_count(map_, &size));
    return size;
  }
  bool empty() const { return size() == 0; }

  // Whether the entries are in a hash table: since there were more than 8, until clear().
  bool promoted() const {
    bool promoted = false;
    check(oh_standalone_smallmap_promoted(map_, &promoted));
    return promoted;
  }

  std::optional<V> get(const K& key) const {
    const void* value = nullptr;
    std::size_t value_length = 0;
    check(oh_standalone_smallmap_get(map_, Keys::data(key), Keys::size(key), &value, &value_length));
    if (value == nullptr) return std::nullopt;
    return Values::read(value, value_length);
  }

  bool contains(const K& key) const { return get(key).has_value(); }

  // Inserts a key or gives it a new value. Returns whether the key was new.
  bool set(const K& key, const V& value) {
    bool inserted = false;
    check(oh_standalone_smallmap_set(map_, Keys::data(key), Keys::size(key), Values::data(value),
                                     Values::size(value), &inserted));
    return inserted;
  }

  // Returns whether the key was there.
  bool remove(const K& key) {
    bool removed = false;
    check(oh_standalone_smallmap_remove(map_, Keys::data(key), Keys::size(key), &removed));
    return removed;
  }

  void clear() { check(oh_standalone_smallmap_clear(map_)); }

  // Makes room for so many entries in all. More than 8 promote the map.
  void reserve(std::size_t entries) { check(oh_standalone_smallmap_reserve(map_, entries)); }

  // Entries in insertion order: for (auto [key, value] : map) …
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
    Iterator iterator(map_);
    return ++iterator;
  }
  Iterator end() const { return Iterator(map_); }

  // The map in C. It stays owned by this one.
  oh_standalone_smallmap* handle() const noexcept { return map_; }

 private:
  oh_standalone_smallmap* map_ = nullptr;
};

}  // namespace offheap

#endif  // OFFHEAP_SMALLMAP_HPP
