// offheap/packedints.hpp: PackedInts and PackedIntsView. See offheap.hpp.
#ifndef OFFHEAP_PACKEDINTS_HPP
#define OFFHEAP_PACKEDINTS_HPP

#include <cstddef>
#include <cstdint>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The integers of 1 to 64 bits of a region that something else owns: see PackedInts. They never
// change, so any number of threads may read them.
class PackedIntsView {
 public:
  // An empty view. Calls that ask for an element throw.
  PackedIntsView() noexcept = default;
  // The integers in `length` bytes at `base`, which must outlive the view. Throws unless they are
  // packed integers.
  PackedIntsView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_packedints_get_info(base, length, &info_));
  }

  std::uint64_t size() const noexcept { return info_.count; }
  bool empty() const noexcept { return info_.count == 0; }
  std::uint32_t bits() const noexcept { return info_.bits; }

  // Throws OH_ERR_RANGE past the end.
  std::uint64_t at(std::uint64_t index) const {
    std::uint64_t value = 0;
    check(oh_packedints_at(base_, length_, index, &value));
    return value;
  }

  // The integers at `count` indices. Index and T are number types, and T can represent integers of
  // bits() bits.
  template <typename Index, typename T>
  void get_many(const Index* indices, std::size_t count, T* out) const {
    check(oh_packedints_get_many(base_, length_, indices, internal::Codec<Index>::number, count, out,
                                 internal::Codec<T>::number));
  }

  // `count` integers from index `from` on.
  template <typename T>
  void unpack(std::uint64_t from, std::size_t count, T* out) const {
    check(oh_packedints_unpack(base_, length_, from, count, out, internal::Codec<T>::number));
  }

  // Checks all contents, O(values). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_packedints_validate(base_, length_)); }

  // The region, to write to a file or to pass to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return info_.region_size; }

 private:
  const void* base_ = nullptr;
  std::size_t length_ = 0;
  oh_packedints_info info_ = {};
};

// Packed integers that own their memory. Moved, not copied; empty after a move.
//
//   const std::uint8_t ages[] = {31, 4, 77, 18};
//   offheap::PackedInts packed(ages, 4);  // 7 bits each
class PackedInts : public internal::Owned<PackedIntsView> {
 public:
  // Packs `count` numbers into `bits` bits each, or into as few bits as the largest needs. Throws
  // OH_ERR_RANGE for a number that does not fit.
  template <typename T>
  PackedInts(const T* values, std::size_t count) : PackedInts(values, count, bits_of(values, count)) {}
  template <typename T>
  PackedInts(const T* values, std::size_t count, std::uint32_t bits) : Owned(length_of(count, bits)) {
    // JavaScript needs bigints for more than 53 bits.
    const std::uint32_t flags = bits > 53 ? OH_PACKEDINTS_BIGINT : 0;
    check(oh_packedints_init(memory().data(), memory().length(), values, internal::Codec<T>::number, count,
                             bits, flags));
    show();
  }

 private:
  template <typename T>
  static std::uint32_t bits_of(const T* values, std::size_t count) {
    std::uint32_t bits = 0;
    check(oh_packedints_measure(values, internal::Codec<T>::number, count, &bits));
    return bits;
  }

  static std::size_t length_of(std::size_t count, std::uint32_t bits) {
    std::size_t length = 0;
    check(oh_packedints_region_size(count, bits, &length));
    return length;
  }
};

}  // namespace offheap

#endif  // OFFHEAP_PACKEDINTS_HPP
