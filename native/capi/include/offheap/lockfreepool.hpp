// offheap/lockfreepool.hpp: LockFreePool and LockFreePoolHandle. See offheap.hpp.
#ifndef OFFHEAP_LOCKFREEPOOL_HPP
#define OFFHEAP_LOCKFREEPOOL_HPP

#include <cstddef>
#include <cstdint>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"
#include "pool.hpp"
#include "threadlocalpool.hpp"

namespace offheap {

namespace internal {

struct LockFreePoolFunctions {
  using Raw = oh_lockfreepool;
  static constexpr auto close = oh_lockfreepool_close;
  static constexpr auto data = oh_lockfreepool_data;
  static constexpr auto alloc = oh_lockfreepool_alloc;
  static constexpr auto free = oh_lockfreepool_free;
};

}  // namespace internal

// A handle of one thread on the region of a LockFreePool that something else owns.
class LockFreePoolHandle : public internal::PoolHandle<internal::LockFreePoolFunctions> {
 public:
  // The pool in `length` bytes at `base`, which must outlive the handle.
  LockFreePoolHandle(void* base, std::size_t length)
      : PoolHandle(internal::make_handle<Raw>(oh_lockfreepool_attach, base, length)) {}

  oh_lockfreepool_stats stats() const {
    oh_lockfreepool_stats stats{};
    check(oh_lockfreepool_get_stats(get(), &stats));
    return stats;
  }
};

// A pool for all threads that owns its memory. Each thread uses a handle of its own, which must not
// outlive the pool.
class LockFreePool {
 public:
  // At least `capacity` bytes for blocks.
  explicit LockFreePool(std::uint64_t capacity) : LockFreePool(sized(capacity)) {}
  explicit LockFreePool(const oh_lockfreepool_options& options) : memory_(length_of(options)) {
    check(oh_lockfreepool_init(memory_.data(), memory_.length(), &options, false));
  }

  // Other threads use the pool by reference, so it cannot be moved.
  LockFreePool(LockFreePool&&) = delete;
  LockFreePool& operator=(LockFreePool&&) = delete;

  // A handle for this thread, without a cache or with a cache of up to `cache` bytes.
  LockFreePoolHandle handle() const { return LockFreePoolHandle(memory_.data(), memory_.length()); }
  ThreadLocalPool cached(std::uint64_t cache) const {
    return ThreadLocalPool(memory_.data(), memory_.length(), cache);
  }

  // Checks all blocks while no thread uses the pool. Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_lockfreepool_validate(memory_.data(), memory_.length())); }

  void* base() const noexcept { return memory_.data(); }
  std::size_t region_size() const noexcept { return memory_.length(); }

 private:
  static oh_lockfreepool_options sized(std::uint64_t capacity) {
    oh_lockfreepool_options options{};
    options.struct_size = sizeof options;
    options.capacity = capacity;
    return options;
  }
  static std::size_t length_of(const oh_lockfreepool_options& options) {
    std::uint64_t length = 0;
    check(oh_lockfreepool_region_size(&options, &length));
    return static_cast<std::size_t>(length);
  }

  internal::Memory memory_;
};

}  // namespace offheap

#endif  // OFFHEAP_LOCKFREEPOOL_HPP
