// offheap/bloomfilter.hpp: BloomFilter and BloomFilterView. See offheap.hpp.
#ifndef OFFHEAP_BLOOMFILTER_HPP
#define OFFHEAP_BLOOMFILTER_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The Bloom filter of a region that something else owns: see BloomFilter. Any number of threads may
// query it while one adds keys.
class BloomFilterView {
 public:
  // A view of nothing: its queries throw OH_ERR_TYPE.
  BloomFilterView() noexcept = default;
  // The filter in `length` bytes at `base`, which must outlive the view. Throws unless they are
  // one.
  BloomFilterView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_bloomfilter_get_info(base, length, &info_));
  }

  std::uint64_t capacity() const noexcept { return info_.capacity; }
  // The rate of false positives at capacity.
  double rate() const noexcept { return info_.rate; }

  // Whether a key was added. True for an absent key at the rate of false positives. O(1).
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
  // Writes 1 or 0 for each of `count` numbers. T is a number type whose values are all doubles.
  template <typename T>
  void has_many(const T* keys, std::size_t count, std::uint8_t* out) const {
    check(oh_bloomfilter_has_numbers(base_, length_, keys, internal::Codec<T>::number, count, out));
  }

  // The hash of a key, for repeated queries and for calls with many keys.
  oh_bloomfilter_hashed hash(std::string_view key) const {
    oh_bloomfilter_hashed hashed = {};
    check(oh_bloomfilter_hash(base_, length_, key.data(), key.size(), &hashed));
    return hashed;
  }
  void has_many(const oh_bloomfilter_hashed* keys, std::size_t count, std::uint8_t* out) const {
    check(oh_bloomfilter_has_hashed(base_, length_, keys, count, out));
  }

  // Checks all contents, O(bytes). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_bloomfilter_validate(base_, length_)); }

  // The region, to write to a file or to pass to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return info_.region_size; }

 private:
  const void* base_ = nullptr;
  std::size_t length_ = 0;
  oh_bloomfilter_info info_ = {};
};

// A set with false positives for absent keys that owns its memory. One thread at a time adds keys.
// It is moved, not copied. The calls of a moved-from filter throw OH_ERR_TYPE.
//
//   offheap::BloomFilter seen(1000000, 0.01);
//   seen.add("apple");
//   seen.has("apple");  // true
class BloomFilter : public internal::Owned<BloomFilterView> {
 public:
  // For `capacity` keys, at this rate of false positives. If keys come from untrusted sources, pass
  // seeds that cannot be guessed.
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

}  // namespace offheap

#endif  // OFFHEAP_BLOOMFILTER_HPP
