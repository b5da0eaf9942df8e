// offheap/pool.hpp: the parts that all pools have in common, and Block. See offheap.hpp.
#ifndef OFFHEAP_POOL_HPP
#define OFFHEAP_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

namespace internal {

// A handle on a pool. F names the C functions of one kind of pool. It is moved, not copied. The
// calls of a moved-from handle throw OH_ERR_TYPE.
template <typename F>
class PoolHandle {
 public:
  using Offset = std::uint64_t;

  // The offset of a block of at least `bytes` bytes. Throws OH_ERR_FULL if the pool has no room.
  Offset alloc(std::uint64_t bytes) {
    Offset offset = 0;
    check(F::alloc(get(), bytes, &offset));
    return offset;
  }
  // The same, but none if the pool has no room.
  std::optional<Offset> try_alloc(std::uint64_t bytes) {
    Offset offset = 0;
    const oh_status status = F::alloc(get(), bytes, &offset);
    if (status == OH_ERR_FULL) return std::nullopt;
    check(status);
    return offset;
  }
  // Throws OH_ERR_STALE if no block at this offset is allocated, and OH_ERR_CORRUPT if its guard
  // was overwritten.
  void free(Offset offset) { check(F::free(get(), offset)); }

  // The first byte of all blocks, and of the block at an offset.
  unsigned char* data() const noexcept { return data_.value; }
  void* at(Offset offset) const noexcept { return data() + offset; }

  // The handle for C functions, which this object owns.
  typename F::Raw* get() const noexcept { return pool_.get(); }

 protected:
  using Raw = Handle<typename F::Raw, F::close>;

  PoolHandle() noexcept = default;
  explicit PoolHandle(Raw pool)
      : pool_(std::move(pool)), data_(static_cast<unsigned char*>(F::data(pool_.get()))) {}

 private:
  Raw pool_;
  ResetOnMove<unsigned char*> data_;
};

}  // namespace internal

// A block that is freed at the end of its scope:
//
//   offheap::Block block(pool, 64);
//   std::memset(block.data(), 0, 64);
template <typename Pool>
class Block {
 public:
  // Throws OH_ERR_FULL if the pool, which must outlive the block, has no room.
  Block(Pool& pool, std::uint64_t bytes) : pool_(pool), offset_(pool.alloc(bytes)) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  // Terminates the program if a guard was overwritten. To handle that error, call Pool::free
  // instead of using a Block.
  ~Block() { pool_.free(offset_); }

  std::uint64_t offset() const noexcept { return offset_; }
  void* data() const noexcept { return pool_.at(offset_); }

 private:
  Pool& pool_;
  std::uint64_t offset_;
};

}  // namespace offheap

#endif  // OFFHEAP_POOL_HPP
