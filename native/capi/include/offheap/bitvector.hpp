// offheap/bitvector.hpp: BitVector and BitVectorView. See offheap.hpp.
#ifndef OFFHEAP_BITVECTOR_HPP
#define OFFHEAP_BITVECTOR_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// Bits in memory somewhere: see BitVector. Through a view of bytes that are writable, single bits
// can be changed.
class BitVectorView {
 public:
  // The bits in `length` bytes at `base`, which must outlive the view.
  BitVectorView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    check(oh_bitvector_check(base, length));
  }

  std::uint64_t size() const { return info().count; }
  bool empty() const { return size() == 0; }
  std::uint64_t capacity() const { return info().capacity; }

  // Throws past the end.
  bool get(std::uint64_t index) const {
    bool bit = false;
    check(oh_bitvector_get(base_, length_, index, &bit));
    return bit;
  }
  bool operator[](std::uint64_t index) const { return get(index); }

  std::uint64_t count() const { return count(0, size()); }
  std::uint64_t count(std::uint64_t from, std::uint64_t to) const {
    std::uint64_t count = 0;
    check(oh_bitvector_count_ones(base_, length_, from, to, &count));
    return count;
  }

  // The position of the first one, or zero, at `from` or after it; `none` if there is none.
  static constexpr std::uint64_t none = OH_BITVECTOR_NONE;
  std::uint64_t next(std::uint64_t from, bool bit = true) const {
    std::uint64_t position = none;
    check(oh_bitvector_next(base_, length_, from, bit, &position));
    return position;
  }

  // Writes positions of ones from `from` on, at most `room`, and returns how many. T is a number
  // type.
  template <typename T>
  std::size_t ones(std::uint64_t from, T* out, std::size_t room) const {
    std::size_t written = 0;
    check(oh_bitvector_ones(base_, length_, from, out, internal::Codec<T>::number, room, &written));
    return written;
  }

  void validate() const { check(oh_bitvector_validate(base_, length_)); }

  // The region: what to write to a file, or hand to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const { return info().region_size; }

 protected:
  BitVectorView() = default;
  oh_bitvector_info info() const {
    oh_bitvector_info info = {};
    check(oh_bitvector_get_info(base_, length_, &info));
    return info;
  }

  void* base_ = nullptr;
  std::size_t length_ = 0;
};

// Bits that own their memory and grow by themselves. Moves, does not copy: copy the bytes if you
// must.
//
//   offheap::BitVector primes(20);
//   for (int prime : {2, 3, 5, 7, 11, 13, 17, 19}) primes.set(prime);
class BitVector : public BitVectorView {
 public:
  // So many zeros.
  explicit BitVector(std::uint64_t bits = 0) : memory_(length_of(bits)) {
    adopt();
    check(oh_bitvector_init(base_, length_, bits));
  }
  // What was moved from has no memory: its calls throw.
  BitVector(BitVector&& other) noexcept : BitVectorView(other), memory_(std::move(other.memory_)) {
    other.base_ = nullptr;
    other.length_ = 0;
  }
  BitVector& operator=(BitVector&& other) noexcept {
    BitVector taken(std::move(other));
    std::swap(static_cast<BitVectorView&>(*this), static_cast<BitVectorView&>(taken));
    std::swap(memory_, taken.memory_);
    return *this;
  }

  // Ones at `count` positions, in whatever order, and zeros elsewhere.
  template <typename T>
  static BitVector from_indices(const T* positions, std::size_t count) {
    std::uint64_t length = 0;
    check(oh_bitvector_count_for(positions, internal::Codec<T>::number, count, &length));
    BitVector bits(length);
    bits.set_many(positions, count, true);
    return bits;
  }

  void set(std::uint64_t index, bool bit = true) { check(oh_bitvector_set(base_, length_, index, bit)); }

  // Inverts a bit, and returns what it is then.
  bool flip(std::uint64_t index) {
    bool bit = false;
    check(oh_bitvector_flip(base_, length_, index, &bit));
    return bit;
  }

  // Gives the bits at `count` positions one value; T is a number type.
  template <typename T>
  void set_many(const T* positions, std::size_t count, bool bit) {
    check(oh_bitvector_set_many(base_, length_, positions, internal::Codec<T>::number, count, bit));
  }

  void push(bool bit) {
    oh_status status = oh_bitvector_push(base_, length_, bit);
    if (status == OH_ERR_FULL) {
      const std::uint64_t room = capacity();
      reserve(room + room / 2 + 4096);
      status = oh_bitvector_push(base_, length_, bit);
    }
    check(status);
  }

  // Makes room for so many bits in all.
  void reserve(std::uint64_t bits) {
    if (bits <= capacity()) return;
    internal::Memory larger(length_of(bits));
    std::memcpy(larger.data(), base_, region_size());
    memory_ = std::move(larger);
    adopt();
    check(oh_bitvector_set_capacity(base_, length_, bits));
  }

  // Makes the vector so long, by zeros or by dropping bits.
  void resize(std::uint64_t bits) {
    reserve(bits);
    check(oh_bitvector_set_count(base_, length_, bits));
  }

  void fill(std::uint64_t from, std::uint64_t to, bool bit) {
    check(oh_bitvector_fill(base_, length_, from, to, bit));
  }
  void invert() { invert(0, size()); }
  void invert(std::uint64_t from, std::uint64_t to) { check(oh_bitvector_invert(base_, length_, from, to)); }

  // Set algebra with the bits of `other` at the same positions, which count as zeros past its end:
  // everywhere (and `or` and `xor` first grow to its length), or within a range.
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

  void adopt() {
    base_ = memory_.data();
    length_ = memory_.length();
  }

  BitVector& combined(oh_bitvector_op op, const BitVectorView& other) {
    combine(op, other);
    return *this;
  }

  internal::Memory memory_;
};

}  // namespace offheap

#endif  // OFFHEAP_BITVECTOR_HPP
