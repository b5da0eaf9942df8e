// offheap/eliasfano.hpp: EliasFano and EliasFanoView. See offheap.hpp.
#ifndef OFFHEAP_ELIASFANO_HPP
#define OFFHEAP_ELIASFANO_HPP

#include <cstddef>
#include <cstdint>
#include <optional>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The sorted integers of a region that something else owns: see EliasFano. They never change, so
// any number of threads may read them.
class EliasFanoView {
 public:
  // An empty view. Calls that ask for an element throw.
  EliasFanoView() noexcept = default;
  // The values in `length` bytes at `base`, which must outlive the view. Throws unless they are
  // sorted integers.
  EliasFanoView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_eliasfano_get_info(base, length, &info_));
  }

  std::uint64_t size() const noexcept { return info_.count; }
  bool empty() const noexcept { return info_.count == 0; }
  // The largest value, or 0 without values.
  std::uint64_t max() const noexcept { return info_.max; }

  // The value at an index, in ascending order. O(1). Throws OH_ERR_RANGE past the end.
  std::uint64_t at(std::uint64_t index) const {
    std::uint64_t value = 0;
    check(oh_eliasfano_at(base_, length_, index, &value));
    return value;
  }

  // The number of smaller values.
  std::uint64_t rank(std::uint64_t value) const {
    std::uint64_t rank = 0;
    check(oh_eliasfano_rank(base_, length_, value, &rank));
    return rank;
  }

  // The first value that is not smaller, with its index. None past the largest value.
  std::optional<oh_eliasfano_entry> next_geq(std::uint64_t value) const {
    oh_eliasfano_entry entry = {};
    bool found = false;
    check(oh_eliasfano_next_geq(base_, length_, value, &entry, &found));
    if (!found) return std::nullopt;
    return entry;
  }

  // The values at `count` indices. Index and T are number types, and T can represent the largest
  // value.
  template <typename Index, typename T>
  void get_many(const Index* indices, std::size_t count, T* out) const {
    check(oh_eliasfano_get_many(base_, length_, indices, internal::Codec<Index>::number, count, out,
                                internal::Codec<T>::number));
  }

  // The ranks of `count` values.
  template <typename Value, typename T>
  void rank_many(const Value* values, std::size_t count, T* out) const {
    check(oh_eliasfano_rank_many(base_, length_, values, internal::Codec<Value>::number, count, out,
                                 internal::Codec<T>::number));
  }

  // `count` values from index `from` on.
  template <typename T>
  void unpack(std::uint64_t from, std::size_t count, T* out) const {
    check(oh_eliasfano_unpack(base_, length_, from, count, out, internal::Codec<T>::number));
  }

  // Checks all contents, O(values). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_eliasfano_validate(base_, length_)); }

  // The region, to write to a file or to pass to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return info_.region_size; }

 private:
  const void* base_ = nullptr;
  std::size_t length_ = 0;
  oh_eliasfano_info info_ = {};
};

// Sorted integers, with duplicates, that own their memory. Moved, not copied; empty after a move.
//
//   const std::uint32_t squares[] = {0, 1, 4, 9, 16, 25};
//   offheap::EliasFano values(squares, 6);
//   values.rank(10);  // 4
class EliasFano : public internal::Owned<EliasFanoView> {
 public:
  // Copies `count` values. Throws OH_ERR_RANGE unless they ascend and are integers from 0 on.
  template <typename T>
  EliasFano(const T* values, std::size_t count) : EliasFano(values, count, max_of(values, count)) {}

 private:
  template <typename T>
  EliasFano(const T* values, std::size_t count, std::uint64_t max) : Owned(length_of(count, max)) {
    check(oh_eliasfano_init(memory().data(), memory().length(), values, internal::Codec<T>::number, count,
                            max));
    show();
  }

  template <typename T>
  static std::uint64_t max_of(const T* values, std::size_t count) {
    std::uint64_t max = 0;
    check(oh_eliasfano_measure(values, internal::Codec<T>::number, count, &max));
    return max;
  }

  static std::size_t length_of(std::size_t count, std::uint64_t max) {
    std::size_t length = 0;
    check(oh_eliasfano_region_size(count, max, &length));
    return length;
  }
};

}  // namespace offheap

#endif  // OFFHEAP_ELIASFANO_HPP
