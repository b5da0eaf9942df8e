// offheap/rollinghash.hpp: RollingHash. See offheap.hpp.
#ifndef OFFHEAP_ROLLINGHASH_HPP
#define OFFHEAP_ROLLINGHASH_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// A hash of the last `window` bytes, for content-defined chunking. One thread at a time. It is
// moved, not copied. The calls of a moved-from hash throw OH_ERR_TYPE.
//
//   offheap::RollingHash rolling(48);
//   // 8 KiB on average:
//   while (auto length = rolling.find(rest, 13)) rest.remove_prefix(*length);
class RollingHash {
 public:
  explicit RollingHash(std::size_t window) : hash_(internal::make_handle<Hash>(oh_rollinghash_new, window)) {}

  // Adds bytes and returns the hash after the last of them.
  std::uint32_t update(std::string_view bytes) {
    std::uint32_t value = 0;
    check(oh_rollinghash_update(hash_.get(), bytes.data(), bytes.size(), &value));
    return value;
  }

  // Adds bytes up to the first cut and returns their number. A cut is a position at which the
  // `bits` highest bits of the hash of a full window are zeros. None if all bytes were added
  // without a cut.
  std::optional<std::size_t> find(std::string_view bytes, std::uint32_t bits) {
    oh_rollinghash_place place = {};
    check(oh_rollinghash_find(hash_.get(), bytes.data(), bytes.size(), bits, &place));
    if (!place.is_cut) return std::nullopt;
    return place.end;
  }

  // The hash of the bytes added last.
  std::uint32_t value() const noexcept { return oh_rollinghash_value(hash_.get()); }
  // Whether at least `window` bytes were added.
  bool full() const noexcept { return oh_rollinghash_is_full(hash_.get()); }
  void reset() { check(oh_rollinghash_reset(hash_.get())); }

  // The hash of bytes in a window of their length.
  static std::uint32_t of(std::string_view bytes) {
    std::uint32_t value = 0;
    check(oh_rollinghash_of(bytes.data(), bytes.size(), &value));
    return value;
  }

 private:
  using Hash = internal::Handle<oh_rollinghash, oh_rollinghash_free>;

  Hash hash_;
};

}  // namespace offheap

#endif  // OFFHEAP_ROLLINGHASH_HPP
