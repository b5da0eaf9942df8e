// offheap/threadlocalpool.hpp: ThreadLocalPool. See offheap.hpp.
#ifndef OFFHEAP_THREADLOCALPOOL_HPP
#define OFFHEAP_THREADLOCALPOOL_HPP

#include <cstddef>
#include <cstdint>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"
#include "pool.hpp"

namespace offheap {

namespace internal {

struct ThreadLocalPoolFunctions {
  using Raw = oh_threadlocalpool;
  static constexpr auto close = oh_threadlocalpool_close;
  static void* data(const oh_threadlocalpool* pool) {
    return oh_lockfreepool_data(oh_threadlocalpool_handle(pool));
  }
  static constexpr auto alloc = oh_threadlocalpool_alloc;
  static constexpr auto free = oh_threadlocalpool_free;
};

}  // namespace internal

// A handle of one thread on the region of a LockFreePool, with a cache of free blocks. The cache
// makes alloc and free cheaper: most of them need no atomic operation on shared memory.
class ThreadLocalPool : public internal::PoolHandle<internal::ThreadLocalPoolFunctions> {
 public:
  // The pool in `length` bytes at `base`, which must outlive the handle. The cache contains up to
  // `cache` bytes.
  ThreadLocalPool(void* base, std::size_t length, std::uint64_t cache)
      : PoolHandle(internal::make_handle<Raw>(oh_threadlocalpool_attach, base, length, cache)) {}

  // Returns all cached blocks to the pool, so that other threads can allocate them.
  void flush() { check(oh_threadlocalpool_flush(get())); }
};

}  // namespace offheap

#endif  // OFFHEAP_THREADLOCALPOOL_HPP
