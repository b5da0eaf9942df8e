// offheap/suffixarray.hpp: SuffixArray and SuffixArrayView. See offheap.hpp.
#ifndef OFFHEAP_SUFFIXARRAY_HPP
#define OFFHEAP_SUFFIXARRAY_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The suffix array of a region that something else owns: see SuffixArray. It never changes, so any
// number of threads may read it.
class SuffixArrayView {
 public:
  // An empty view. Calls that ask for an element throw.
  SuffixArrayView() noexcept = default;
  // The array in `length` bytes at `base`, which must outlive the view. Throws unless they are one.
  SuffixArrayView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_suffixarray_count(base, length, &size_));
  }

  // The number of bytes of the text, which is the number of suffixes.
  std::uint64_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string_view text() const noexcept {
    if (empty()) return {};
    return {static_cast<const char*>(base_) + OH_SUFFIXARRAY_TEXT, static_cast<std::size_t>(size_)};
  }

  // The position at which the suffix of a rank begins. Throws OH_ERR_RANGE past the end.
  std::uint64_t at(std::uint64_t rank) const {
    std::uint64_t position = 0;
    check(oh_suffixarray_at(base_, length_, rank, &position));
    return position;
  }

  // The first rank whose suffix begins with the pattern, and the number of such suffixes.
  oh_suffixarray_found search(std::string_view pattern) const {
    oh_suffixarray_found found = {};
    check(oh_suffixarray_search(base_, length_, pattern.data(), pattern.size(), &found));
    return found;
  }

  // Checks all contents, in about the time of the construction. Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_suffixarray_validate(base_, length_)); }

  // The memory that contains the region.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return length_; }

 private:
  const void* base_ = nullptr;
  std::size_t length_ = 0;
  std::uint64_t size_ = 0;
};

// The sorted suffixes of a text, which is copied. It owns its memory. Moved, not copied; empty
// after a move.
//
//   offheap::SuffixArray array("banana");
//   array.search("an").count;  // 2
class SuffixArray : public internal::Owned<SuffixArrayView> {
 public:
  // O(bytes of the text).
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

}  // namespace offheap

#endif  // OFFHEAP_SUFFIXARRAY_HPP
