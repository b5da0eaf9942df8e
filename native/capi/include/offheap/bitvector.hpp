// offheap/bitvector.hpp: BitVector and BitVectorView. See offheap.hpp.
#ifndef OFFHEAP_BITVECTOR_HPP
#define OFFHEAP_BITVECTOR_HPP

#include <cstddef>
#include <cstdint>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The bits of a region that something else owns: see BitVector. Any number of threads may read
// while none writes.
class BitVectorView {
 public:
  // A view of nothing: its calls throw OH_ERR_TYPE.
  BitVectorView() noexcept = default;
  // The bits in `length` bytes at `base`, which must outlive the view. Throws unless they are a bit
  // vector.
  BitVectorView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    check(oh_bitvector_check(base, length));
  }

  std::uint64_t size() const { return info().count; }
  bool empty() const { return size() == 0; }
  std::uint64_t capacity() const { return info().capacity; }

  // Throws OH_ERR_RANGE past the end.
  bool get(std::uint64_t index) const {
    bool bit = false;
    check(oh_bitvector_get(base_, length_, index, &bit));
    return bit;
  }
  bool operator[](std::uint64_t index) const { return get(index); }

  // The number of ones, in all bits or from `from` up to `to`. O(bits).
  std::uint64_t count() const { return count(0, size()); }
  std::uint64_t count(std::uint64_t from, std::uint64_t to) const {
    std::uint64_t count = 0;
    check(oh_bitvector_count_ones(base_, length_, from, to, &count));
    return count;
  }

  // The first position from `from` on with this bit; `none` if there is none.
  static constexpr std::uint64_t none = OH_BITVECTOR_NONE;
  std::uint64_t next(std::uint64_t from, bool bit = true) const {
    std::uint64_t position = none;
    check(oh_bitvector_next(base_, length_, from, bit, &position));
    return position;
  }

  // Writes the positions of the ones from `from` on, at most `room` of them, and returns their
  // number. T is a number type.
  template <typename T>
  std::size_t ones(std::uint64_t from, T* out, std::size_t room) const {
    std::size_t written = 0;
    check(oh_bitvector_ones(base_, length_, from, out, internal::Codec<T>::number, room, &written));
    return written;
  }

  // Checks all contents, O(bits). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_bitvector_validate(base_, length_)); }

  // The region, to write to a file or to pass to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const { return info().region_size; }

 protected:
  oh_bitvector_info info() const {
    oh_bitvector_info info = {};
    check(oh_bitvector_get_info(base_, length_, &info));
    return info;
  }

  void* base_ = nullptr;
  std::size_t length_ = 0;
};

// A growable bit vector that owns its memory. One thread at a time. It is moved, not copied: copy
// the bytes of the region instead. The calls of a moved-from vector throw OH_ERR_TYPE.
//
//   offheap::BitVector primes(20);
//   for (int prime : {2, 3, 5, 7, 11, 13, 17, 19}) primes.set(prime);
class BitVector : public internal::Owned<BitVectorView> {
 public:
  // `bits` zeros.
  explicit BitVector(std::uint64_t bits = 0) : Owned(length_of(bits)) {
    check(oh_bitvector_init(memory().data(), memory().length(), bits));
    show();
  }

  // Ones at `count` positions, in any order, and zeros between them.
  template <typename T>
  static BitVector from_indices(const T* positions, std::size_t count) {
    std::uint64_t length = 0;
    check(oh_bitvector_count_for(positions, internal::Codec<T>::number, count, &length));
    BitVector bits(length);
    bits.set_many(positions, count, true);
    return bits;
  }

  void set(std::uint64_t index, bool bit = true) { check(oh_bitvector_set(base_, length_, index, bit)); }

  // Inverts a bit and returns its new value.
  bool flip(std::uint64_t index) {
    bool bit = false;
    check(oh_bitvector_flip(base_, length_, index, &bit));
    return bit;
  }

  // Sets the bits at `count` positions to one value. T is a number type.
  template <typename T>
  void set_many(const T* positions, std::size_t count, bool bit) {
    check(oh_bitvector_set_many(base_, length_, positions, internal::Codec<T>::number, count, bit));
  }

  // Appends a bit, in amortized constant time.
  void push(bool bit) {
    oh_status status = oh_bitvector_push(base_, length_, bit);
    if (status == OH_ERR_FULL) {
      const std::uint64_t room = capacity();
      reserve(room + room / 2 + 4096);
      status = oh_bitvector_push(base_, length_, bit);
    }
    check(status);
  }

  // Makes room for `bits` bits in all.
  void reserve(std::uint64_t bits) {
    if (bits <= capacity()) return;
    grow(length_of(bits));
    check(oh_bitvector_set_capacity(base_, length_, bits));
  }

  // Changes the length to `bits` bits: appends zeros or drops bits at the end.
  void resize(std::uint64_t bits) {
    reserve(bits);
    check(oh_bitvector_set_count(base_, length_, bits));
  }

  void fill(std::uint64_t from, std::uint64_t to, bool bit) {
    check(oh_bitvector_fill(base_, length_, from, to, bit));
  }
  void invert() { invert(0, size()); }
  void invert(std::uint64_t from, std::uint64_t to) { check(oh_bitvector_invert(base_, length_, from, to)); }

  // Combines these bits with the bits of `other` at the same positions, which are zeros past its
  // end. Without a range, `or` and `xor` first extend this vector to the length of `other`.
  void combine(oh_bitvector_op op, const BitVectorView& other) {
    if (op == OH_BITVECTOR_OR || op == OH_BITVECTOR_XOR) {
      if (other.size() > size()) resize(other.size());
    }
    combine(op, other, 0, size());
  }
  void combine(oh_bitvector_op op, const BitVectorView& other, std::uint64_t from, std::uint64_t to) {
    check(oh_bitvector_combine(base_, length_, op, other.base(), other.region_size(), from, to));
  }
  BitVector& operator&=(const BitVectorView& other) { return combined(OH_BITVECTOR_AND, other); }
  BitVector& operator|=(const BitVectorView& other) { return combined(OH_BITVECTOR_OR, other); }
  BitVector& operator^=(const BitVectorView& other) { return combined(OH_BITVECTOR_XOR, other); }
  BitVector& operator-=(const BitVectorView& other) { return combined(OH_BITVECTOR_AND_NOT, other); }

 private:
  static std::size_t length_of(std::uint64_t bits) {
    std::size_t length = 0;
    check(oh_bitvector_region_size(bits, &length));
    return length;
  }

  BitVector& combined(oh_bitvector_op op, const BitVectorView& other) {
    combine(op, other);
    return *this;
  }
};

}  // namespace offheap

#endif  // OFFHEAP_BITVECTOR_HPP
