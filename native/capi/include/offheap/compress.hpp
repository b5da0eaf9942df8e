// offheap/compress.hpp: BloomFilter, RollingHash and SuffixArray. See offheap.hpp.
#ifndef OFFHEAP_COMPRESS_HPP
#define OFFHEAP_COMPRESS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// ---- BloomFilter
// -------------------------------------------------------------------------------------

// A Bloom filter in memory somewhere: see BloomFilter. Any number of threads may ask while one
// adds.
class BloomFilterView {
 public:
  // A view of nothing: its questions throw.
  BloomFilterView() noexcept = default;
  // The filter in `length` bytes at `base`, which must outlive the view.
  BloomFilterView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_bloomfilter_get_info(base, length, &info_));
  }

  std::uint64_t capacity() const noexcept { return info_.capacity; }
  double rate() const noexcept { return info_.rate; }

  // Whether a key was added; at the filter's rate also where it was not.
  bool has(std::string_view key) const {
    bool found = false;
    check(oh_bloomfilter_has(base_, length_, key.data(), key.size(), &found));
    return found;
  }
  bool has(double key) const {
    std::uint8_t found = 0;
    has_many(&key, 1, &found);
    return found != 0;
  }
  // 1 or 0 for each of `count` numbers, of a type of which all are doubles.
  template <typename T>
  void has_many(const T* keys, std::size_t count, std::uint8_t* out) const {
    check(oh_bloomfilter_has_numbers(base_, length_, keys, internal::Codec<T>::number, count, out));
  }

  // A key that is asked for often, or one of many.
  oh_bloomfilter_hashed hash(std::string_view key) const {
    oh_bloomfilter_hashed hashed = {};
    check(oh_bloomfilter_hash(base_, length_, key.data(), key.size(), &hashed));
    return hashed;
  }
  void has_many(const oh_bloomfilter_hashed* keys, std::size_t count, std::uint8_t* out) const {
    check(oh_bloomfilter_has_hashed(base_, length_, keys, count, out));
  }

  void validate() const { check(oh_bloomfilter_validate(base_, length_)); }

  // The region: what to write to a file, or hand to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return info_.region_size; }

 private:
  const void* base_ = nullptr;
  std::size_t length_ = 0;
  oh_bloomfilter_info info_ = {};
};

// A set that may be wrong about strangers, in memory of its own. Moves, does not copy; what was
// moved from has no memory: its calls throw.
//
//   offheap::BloomFilter seen(1000000, 0.01);
//   seen.add("apple");
//   seen.has("apple");  // true
class BloomFilter : public internal::Owned<BloomFilterView> {
 public:
  // For `capacity` keys, at this rate of wrong answers. Seeds that nobody can guess where keys come
  // from strangers.
  BloomFilter(std::uint64_t capacity, double rate, std::uint32_t seed0 = 0x9E3779B9,
              std::uint32_t seed1 = 0x85EBCA77)
      : Owned(length_of(capacity, rate)) {
    check(oh_bloomfilter_init(memory().data(), memory().length(), capacity, rate, seed0, seed1));
    show();
  }

  void add(std::string_view key) {
    check(oh_bloomfilter_add(memory().data(), memory().length(), key.data(), key.size()));
  }
  void add(double key) { add_many(&key, 1); }
  template <typename T>
  void add_many(const T* keys, std::size_t count) {
    check(oh_bloomfilter_add_numbers(memory().data(), memory().length(), keys, internal::Codec<T>::number,
                                     count));
  }
  void add_many(const oh_bloomfilter_hashed* keys, std::size_t count) {
    check(oh_bloomfilter_add_hashed(memory().data(), memory().length(), keys, count));
  }

 private:
  static std::size_t length_of(std::uint64_t capacity, double rate) {
    std::size_t length = 0;
    check(oh_bloomfilter_region_size(capacity, rate, &length));
    return length;
  }
};

// ---- SuffixArray
// -------------------------------------------------------------------------------------

// A suffix array in memory somewhere: see SuffixArray. It never changes, so any number of threads
// may read.
class SuffixArrayView {
 public:
  // A view of nothing: empty, and what asks for an element throws.
  SuffixArrayView() noexcept = default;
  // The array in `length` bytes at `base`, which must outlive the view.
  SuffixArrayView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_suffixarray_count(base, length, &size_));
  }

  // Bytes of the text, and suffixes.
  std::uint64_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string_view text() const noexcept {
    if (empty()) return {};
    return {static_cast<const char*>(base_) + OH_SUFFIXARRAY_TEXT, static_cast<std::size_t>(size_)};
  }

  // Where the suffix of a rank begins. Throws past the end.
  std::uint64_t at(std::uint64_t rank) const {
    std::uint64_t position = 0;
    check(oh_suffixarray_at(base_, length_, rank, &position));
    return position;
  }

  // The first rank whose suffix begins with the pattern, and how many do.
  oh_suffixarray_found search(std::string_view pattern) const {
    oh_suffixarray_found found = {};
    check(oh_suffixarray_search(base_, length_, pattern.data(), pattern.size(), &found));
    return found;
  }

  void validate() const { check(oh_suffixarray_validate(base_, length_)); }

  // The memory that the region lies in.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return length_; }

 private:
  const void* base_ = nullptr;
  std::size_t length_ = 0;
  std::uint64_t size_ = 0;
};

// The suffixes of a text, sorted, in memory of their own. The text is copied. Moves, does not copy;
// what was moved from is empty.
//
//   offheap::SuffixArray array("banana");
//   array.search("an").count;  // 2
class SuffixArray : public internal::Owned<SuffixArrayView> {
 public:
  explicit SuffixArray(std::string_view text) : Owned(length_of(text)) {
    check(oh_suffixarray_build(memory().data(), memory().length(), text.data(), text.size()));
    show();
  }

 private:
  static std::size_t length_of(std::string_view text) {
    std::size_t length = 0;
    check(oh_suffixarray_region_size(text.size(), &length));
    return length;
  }
};

// ---- RollingHash
// -------------------------------------------------------------------------------------

// A hash of the last `window` bytes, for cutting data where its contents say so.
//
//   offheap::RollingHash rolling(48);
//   while (auto length = rolling.find(rest, 13)) rest.remove_prefix(*length);  // every 8 KiB on the average
class RollingHash {
 public:
  explicit RollingHash(std::size_t window) {
    oh_rollinghash* made = nullptr;
    check(oh_rollinghash_new(window, &made));
    hash_.reset(made);
  }

  // Takes in bytes, and returns the hash after the last.
  std::uint32_t update(std::string_view bytes) {
    std::uint32_t value = 0;
    check(oh_rollinghash_update(hash_.get(), bytes.data(), bytes.size(), &value));
    return value;
  }

  // Takes in bytes up to where the `bits` highest bits of a full window's hash are zeros, and
  // returns how many; none if all were taken in without that.
  std::optional<std::size_t> find(std::string_view bytes, std::uint32_t bits) {
    oh_rollinghash_place place = {};
    check(oh_rollinghash_find(hash_.get(), bytes.data(), bytes.size(), bits, &place));
    if (!place.is_cut) return std::nullopt;
    return place.end;
  }

  std::uint32_t value() const noexcept { return oh_rollinghash_value(hash_.get()); }
  bool full() const noexcept { return oh_rollinghash_is_full(hash_.get()); }
  void reset() { check(oh_rollinghash_reset(hash_.get())); }

  // The hash of bytes that fill a window of their length.
  static std::uint32_t of(std::string_view bytes) {
    std::uint32_t value = 0;
    check(oh_rollinghash_of(bytes.data(), bytes.size(), &value));
    return value;
  }

 private:
  struct Free {
    void operator()(oh_rollinghash* hash) const noexcept { oh_rollinghash_free(hash); }
  };
  std::unique_ptr<oh_rollinghash, Free> hash_;
};

}  // namespace offheap

#endif  // OFFHEAP_COMPRESS_HPP
