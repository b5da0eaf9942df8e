// offheap/rankselect.hpp: RankSelect and RankSelectView. See offheap.hpp.
#ifndef OFFHEAP_RANKSELECT_HPP
#define OFFHEAP_RANKSELECT_HPP

#include <cstddef>
#include <cstdint>

#include "../offheap.h"
#include "bitvector.hpp"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The rank and select index of a region that something else owns: see RankSelect. It never changes,
// so any number of threads may read it.
class RankSelectView {
 public:
  // An empty view. Calls that ask for an element throw.
  RankSelectView() noexcept = default;
  // The index in `length` bytes at `base`, which must outlive the view. Throws unless they are one.
  RankSelectView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_rankselect_get_info(base, length, &info_));
  }

  std::uint64_t size() const noexcept { return info_.count; }
  std::uint64_t ones() const noexcept { return info_.ones; }
  oh_rankselect_variant variant() const noexcept { return static_cast<oh_rankselect_variant>(info_.variant); }

  // Throws OH_ERR_RANGE past the end.
  bool get(std::uint64_t position) const {
    bool bit = false;
    check(oh_rankselect_get(base_, length_, position, &bit));
    return bit;
  }

  // The number of ones, or zeros, before a position. O(1).
  std::uint64_t rank1(std::uint64_t position) const { return one(OH_RANK1, position); }
  std::uint64_t rank0(std::uint64_t position) const { return one(OH_RANK0, position); }
  // The position of the k-th one, or zero, counted from 0. Throws OH_ERR_RANGE if there are at most
  // k.
  std::uint64_t select1(std::uint64_t k) const { return one(OH_SELECT1, k); }
  std::uint64_t select0(std::uint64_t k) const { return one(OH_SELECT0, k); }

  // Answers many questions: out[i] belongs to questions[i]. Q and T are number types, and T can
  // represent every position.
  template <typename Q, typename T>
  void many(oh_rankselect_query query, const Q* questions, std::size_t count, T* out) const {
    check(oh_rankselect_many(base_, length_, query, questions, internal::Codec<Q>::number, count, out,
                             internal::Codec<T>::number));
  }

  // Checks all contents, O(bits). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_rankselect_validate(base_, length_)); }

  // The region, to write to a file or to pass to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return info_.region_size; }

 private:
  std::uint64_t one(oh_rankselect_query query, std::uint64_t question) const {
    std::uint64_t answer = 0;
    check(oh_rankselect_one(base_, length_, query, question, &answer));
    return answer;
  }

  const void* base_ = nullptr;
  std::size_t length_ = 0;
  oh_rankselect_info info_ = {};
};

// A rank and select index that owns its memory, with a copy of the bits. Moved, not copied; empty
// after a move.
class RankSelect : public internal::Owned<RankSelectView> {
 public:
  explicit RankSelect(const BitVectorView& bits, oh_rankselect_variant variant = OH_RANKSELECT_FLAT)
      : RankSelect(bits, planned(bits, variant)) {}

 private:
  RankSelect(const BitVectorView& bits, const oh_rankselect_info& plan) : Owned(plan.region_size) {
    check(oh_rankselect_build(memory().data(), memory().length(), bits.base(), bits.region_size(), &plan));
    show();
  }

  static oh_rankselect_info planned(const BitVectorView& bits, oh_rankselect_variant variant) {
    oh_rankselect_info plan = {};
    check(oh_rankselect_plan(bits.base(), bits.region_size(), variant, &plan));
    return plan;
  }
};

}  // namespace offheap

#endif  // OFFHEAP_RANKSELECT_HPP
