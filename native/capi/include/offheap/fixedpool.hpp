// offheap/fixedpool.hpp: FixedPool and FixedPoolView. See offheap.hpp.
#ifndef OFFHEAP_FIXEDPOOL_HPP
#define OFFHEAP_FIXEDPOOL_HPP

#include <cstddef>
#include <cstdint>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"
#include "pool.hpp"

namespace offheap {

namespace internal {

struct FixedPoolFunctions {
  using Raw = oh_fixedpool;
  static constexpr auto close = oh_fixedpool_close;
  static constexpr auto data = oh_fixedpool_data;
  static constexpr auto alloc = oh_fixedpool_alloc;
  static constexpr auto free = oh_fixedpool_free;
};

}  // namespace internal

// A handle on the region of a FixedPool that something else owns. One thread at a time.
class FixedPoolView : public internal::PoolHandle<internal::FixedPoolFunctions> {
 public:
  // A view of nothing: its calls throw OH_ERR_TYPE.
  FixedPoolView() noexcept = default;
  // The pool in `length` bytes at `base`, which must outlive the view. Throws unless they are one.
  FixedPoolView(void* base, std::size_t length)
      : PoolHandle(internal::make_handle<Raw>(oh_fixedpool_attach, base, length)) {}
};

// A pool of blocks of one or more sizes that owns its memory. One thread at a time. alloc and free
// take constant time.
class FixedPool : public internal::Owned<FixedPoolView> {
 public:
  // `blocks` blocks of `block_size` bytes.
  FixedPool(std::uint64_t block_size, std::uint64_t blocks) : FixedPool(Options(block_size, blocks)) {}
  explicit FixedPool(const oh_fixedpool_options& options) : Owned(length_of(options)) {
    check(oh_fixedpool_init(memory().data(), memory().length(), &options));
    show();
  }
  // A Block refers to its pool, which therefore cannot be moved.
  FixedPool(FixedPool&&) = delete;
  FixedPool& operator=(FixedPool&&) = delete;

 private:
  struct Options {
    std::uint64_t size, blocks;
    oh_fixedpool_options options{};
    Options(std::uint64_t size_, std::uint64_t blocks_) : size(size_), blocks(blocks_) {
      options.struct_size = sizeof options;
      options.sizes = &size;
      options.blocks = &blocks;
      options.classes = 1;
    }
  };
  explicit FixedPool(const Options& options) : FixedPool(options.options) {}
  static std::size_t length_of(const oh_fixedpool_options& options) {
    std::uint64_t length = 0;
    check(oh_fixedpool_region_size(&options, &length));
    return static_cast<std::size_t>(length);
  }
};

}  // namespace offheap

#endif  // OFFHEAP_FIXEDPOOL_HPP
