// offheap/sharedmap_scan.hpp: iteration over a SharedMap, and records. See sharedmap.hpp.
#ifndef OFFHEAP_SHAREDMAP_SCAN_HPP
#define OFFHEAP_SHAREDMAP_SCAN_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "sharedmap_memory.hpp"
#include "sharedmap_types.hpp"

namespace offheap {

namespace internal {

// A record that the C ABI wrote: words, and blobs that are padded to 8 bytes.
class RecordReader {
 public:
  RecordReader(const void* data, std::size_t length) noexcept
      : at_(static_cast<const unsigned char*>(data)), end_(at_ + length) {}

  bool at_end() const noexcept { return at_ == end_; }

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  // The bytes of a value. A type of fixed size takes 8 at most, and has the head 0.
  std::pair<const void*, std::size_t> blob(std::uint32_t head, bool plain) {
    const std::size_t length = plain ? 8 : head >> 2;
    return {take((length + 7) / 8 * 8), length};
  }

 private:
  const unsigned char* take(std::size_t length) {
    if (length > static_cast<std::size_t>(end_ - at_)) {
      throw Error(OH_ERR_CORRUPT, "a record of the map ends past its end");
    }
    return std::exchange(at_, at_ + length);
  }

  const unsigned char* at_;
  const unsigned char* end_;
};

}  // namespace internal

// The entries of a SharedMap, for one loop. Each key that is present throughout is visited exactly
// once, in no particular order, whatever others change meanwhile; the loop may change the map, too.
// Text and bytes are valid until the iterator is advanced. The map must outlive the range.
//
//   for (auto [key, value] : map.entries()) map.remove(key);
template <typename K, typename V>
class SharedMapEntries {
  using Keys = internal::Codec<K>;
  using Values = internal::SharedValue<V>;

 public:
  using Entry = std::pair<K, V>;

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Entry;

    // The end.
    Iterator() noexcept = default;
    Entry operator*() const { return entries_->entry_; }
    Iterator& operator++() {
      if (!entries_->advance()) entries_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.entries_ == b.entries_; }
    friend bool operator!=(const Iterator& a, const Iterator& b) { return a.entries_ != b.entries_; }

   private:
    friend class SharedMapEntries;
    explicit Iterator(SharedMapEntries* entries) : entries_(entries) {}
    SharedMapEntries* entries_ = nullptr;
  };

  explicit SharedMapEntries(const oh_sharedmap* map) : map_(map), batch_(nullptr, 0) {
    buffer_.reserve(kBuffer);
  }

  // The first entry. A range is visited once.
  Iterator begin() { return advance() ? Iterator(this) : Iterator(); }
  Iterator end() noexcept { return Iterator(); }

 private:
  static constexpr std::size_t kBuffer = 4096;

  // Reads the next entry. False at the end.
  bool advance() {
    while (batch_.at_end()) {
      if (is_last_) return false;
      std::size_t length = 0, count = 0;
      for (;;) {
        check(oh_sharedmap_scan(map_, &cursor_, true, SIZE_MAX, buffer_.data(), buffer_.capacity(), &length,
                                &count));
        if (length <= buffer_.capacity()) break;
        buffer_.reserve(length);
      }
      is_last_ = cursor_ == 0;
      batch_ = internal::RecordReader(buffer_.data(), length);
    }
    const auto key_head = batch_.template number<std::uint32_t>();
    const auto value_head = batch_.template number<std::uint32_t>();
    const auto value_type = batch_.template number<std::uint32_t>();
    batch_.template number<std::uint32_t>();
    batch_.template number<double>();
    const auto [key, key_length] = batch_.blob(key_head, Keys::plain);
    const auto [value, value_length] = batch_.blob(value_head, Values::plain);
    entry_ = {Keys::read(key, key_length), Values::read(value_type, value, value_length)};
    return true;
  }

  const oh_sharedmap* map_;
  std::uint64_t cursor_ = 0;
  bool is_last_ = false;
  internal::Scratch buffer_;
  internal::RecordReader batch_;
  Entry entry_;
};

}  // namespace offheap

#endif  // OFFHEAP_SHAREDMAP_SCAN_HPP
