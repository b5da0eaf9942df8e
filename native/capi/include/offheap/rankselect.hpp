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

// Rank and select in memory somewhere: see RankSelect. Nothing changes, so any number of threads
// may read.
class RankSelectView {
 public:
  // A view of nothing: empty, and what asks for an element throws.
  RankSelectView() noexcept = default;
  // What lies in `length` bytes at `base`, which must outlive the view.
  RankSelectView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_rankselect_get_info(base, length, &info_));
  }

  std::uint64_t size() const noexcept { return info_.count; }
  std::uint64_t ones() const noexcept { return info_.ones; }
  oh_rankselect_variant variant() const noexcept { return static_cast<oh_rankselect_variant>(info_.variant); }

  // Throws past the end.
  bool get(std::uint64_t position) const {
    bool bit = false;
    check(oh_rankselect_get(base_, length_, position, &bit));
    return bit;
  }

  // How many ones, or zeros, are before a position.
  std::uint64_t rank1(std::uint64_t position) const { return one(OH_RANK1, position); }
  std::uint64_t rank0(std::uint64_t position) const { return one(OH_RANK0, position); }
  // Where the k-th one, or zero, is, counted from 0. Throws if there are no more than k.
  std::uint64_t select1(std::uint64_t k) const { return one(OH_SELECT1, k); }
  std::uint64_t select0(std::uint64_t k) const { return one(OH_SELECT0, k); }

  // Many at once: out[i] belongs to questions[i]. Q and T are number types, and T holds every
  // position.
  template <typename Q, typename T>
  void many(oh_rankselect_query query, const Q* questions, std::size_t count, T* out) const {
    check(oh_rankselect_many(base_, length_, query, questions, internal::Codec<Q>::number, count, out,
                             internal::Codec<T>::number));
  }

  void validate() const { check(oh_rankselect_validate(base_, length_)); }

  // The region: what to write to a file, or hand to JavaScript.
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

// Rank and select that own their memory: a copy of the bits, and what helps to find them. Moves,
// does not copy; what was moved from is empty.
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
