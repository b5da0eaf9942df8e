// offheap/pools.hpp: FixedPool, LockFreePool, NumaPool and their handles. See offheap.hpp.
#ifndef OFFHEAP_POOLS_HPP
#define OFFHEAP_POOLS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

namespace internal {

// What pools have in common. F names the functions of one kind.
template <typename F>
class PoolHandle {
 public:
  using Offset = std::uint64_t;

  PoolHandle(const PoolHandle&) = delete;
  PoolHandle& operator=(const PoolHandle&) = delete;
  // What was moved from has no pool: its calls throw.
  PoolHandle(PoolHandle&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  PoolHandle& operator=(PoolHandle&& other) noexcept {
    PoolHandle taken(std::move(other));
    std::swap(pool_, taken.pool_);
    std::swap(data_, taken.data_);
    return *this;
  }
  ~PoolHandle() { F::close(pool_); }

  // The offset of a block of at least so many bytes. Throws with OH_ERR_FULL where there is no
  // room.
  Offset alloc(std::uint64_t bytes) {
    Offset offset = 0;
    check(F::alloc(pool_, bytes, &offset));
    return offset;
  }
  std::optional<Offset> try_alloc(std::uint64_t bytes) {
    Offset offset = 0;
    const oh_status status = F::alloc(pool_, bytes, &offset);
    if (status == OH_ERR_FULL) return std::nullopt;
    check(status);
    return offset;
  }
  void free(Offset offset) { check(F::free(pool_, offset)); }

  // The first byte of all blocks, and that of one.
  unsigned char* data() const noexcept { return data_; }
  void* at(Offset offset) const noexcept { return data_ + offset; }

  typename F::Raw* get() const noexcept { return pool_; }

 protected:
  PoolHandle(typename F::Raw* pool, void* data) noexcept
      : pool_(pool), data_(static_cast<unsigned char*>(data)) {}

 private:
  typename F::Raw* pool_;
  unsigned char* data_;
};

struct FixedFunctions {
  using Raw = oh_fixedpool;
  static constexpr auto close = oh_fixedpool_close;
  static constexpr auto alloc = oh_fixedpool_alloc;
  static constexpr auto free = oh_fixedpool_free;
};
struct LockFreeFunctions {
  using Raw = oh_lockfreepool;
  static constexpr auto close = oh_lockfreepool_close;
  static constexpr auto alloc = oh_lockfreepool_alloc;
  static constexpr auto free = oh_lockfreepool_free;
};
struct LocalFunctions {
  using Raw = oh_threadlocalpool;
  static constexpr auto close = oh_threadlocalpool_close;
  static constexpr auto alloc = oh_threadlocalpool_alloc;
  static constexpr auto free = oh_threadlocalpool_free;
};
struct NumaFunctions {
  using Raw = oh_numapool;
  static constexpr auto close = oh_numapool_close;
  static constexpr auto alloc = oh_numapool_alloc;
  static constexpr auto free = oh_numapool_free;
};

}  // namespace internal

// A block that goes back to its pool by itself:
//
//   offheap::Block block(pool, 64);
//   std::memset(block.data(), 0, 64);
template <typename Pool>
class Block {
 public:
  Block(Pool& pool, std::uint64_t bytes) : pool_(pool), offset_(pool.alloc(bytes)) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  // A guard that was overwritten ends the program here: free such a block by hand to learn of it.
  ~Block() { pool_.free(offset_); }

  std::uint64_t offset() const noexcept { return offset_; }
  void* data() const noexcept { return pool_.at(offset_); }

 private:
  Pool& pool_;
  std::uint64_t offset_;
};

// A view of a FixedPool's region, which something else owns. For one thread at a time.
class FixedPoolView : public internal::PoolHandle<internal::FixedFunctions> {
 public:
  FixedPoolView(void* base, std::size_t length) : FixedPoolView(attach(base, length)) {}

 private:
  explicit FixedPoolView(oh_fixedpool* pool) : PoolHandle(pool, oh_fixedpool_data(pool)) {}
  static oh_fixedpool* attach(void* base, std::size_t length) {
    oh_fixedpool* pool = nullptr;
    check(oh_fixedpool_attach(base, length, &pool));
    return pool;
  }
};

// One thread's handle on a LockFreePool's region, which something else owns.
class LockFreeHandle : public internal::PoolHandle<internal::LockFreeFunctions> {
 public:
  LockFreeHandle(void* base, std::size_t length) : LockFreeHandle(attach(base, length)) {}

  oh_lockfreepool_stats stats() const {
    oh_lockfreepool_stats stats{};
    check(oh_lockfreepool_get_stats(get(), &stats));
    return stats;
  }

 private:
  explicit LockFreeHandle(oh_lockfreepool* pool) : PoolHandle(pool, oh_lockfreepool_data(pool)) {}
  static oh_lockfreepool* attach(void* base, std::size_t length) {
    oh_lockfreepool* pool = nullptr;
    check(oh_lockfreepool_attach(base, length, &pool));
    return pool;
  }
};

// The same with a cache of up to `cache` bytes.
class LocalPool : public internal::PoolHandle<internal::LocalFunctions> {
 public:
  LocalPool(void* base, std::size_t length, std::uint64_t cache) : LocalPool(attach(base, length, cache)) {}

  void flush() { check(oh_threadlocalpool_flush(get())); }

 private:
  explicit LocalPool(oh_threadlocalpool* pool)
      : PoolHandle(pool, oh_lockfreepool_data(oh_threadlocalpool_handle(pool))) {}
  static oh_threadlocalpool* attach(void* base, std::size_t length, std::uint64_t cache) {
    oh_threadlocalpool* pool = nullptr;
    check(oh_threadlocalpool_attach(base, length, cache, &pool));
    return pool;
  }
};

// A pool for all threads that owns its memory. Each thread takes a handle, which must not outlive
// the pool.
class LockFreePool {
 public:
  explicit LockFreePool(std::uint64_t capacity) : LockFreePool(sized(capacity)) {}
  explicit LockFreePool(const oh_lockfreepool_options& options) : memory_(length_of(options)) {
    check(oh_lockfreepool_init(memory_.data(), memory_.length(), &options, false));
  }

  // Handles point into the memory, which stays where it is.
  LockFreePool(LockFreePool&&) = delete;
  LockFreePool& operator=(LockFreePool&&) = delete;

  LockFreeHandle handle() const { return LockFreeHandle(memory_.data(), memory_.length()); }
  LocalPool cached(std::uint64_t cache) const { return LocalPool(memory_.data(), memory_.length(), cache); }
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
  static std::uint64_t length_of(const oh_lockfreepool_options& options) {
    std::uint64_t length = 0;
    check(oh_lockfreepool_region_size(&options, &length));
    return length;
  }

  internal::Memory memory_;
};

// A pool of blocks of one size for one thread that owns its memory.
class FixedPool : private internal::Memory, public FixedPoolView {
 public:
  FixedPool(std::uint64_t block_size, std::uint64_t blocks) : FixedPool(Options(block_size, blocks)) {}
  explicit FixedPool(const oh_fixedpool_options& options)
      : internal::Memory(length_of(options)),
        FixedPoolView(initialised(*this, options), internal::Memory::length()) {}
  // Views point into the memory, which stays where it is.
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
  static std::uint64_t length_of(const oh_fixedpool_options& options) {
    std::uint64_t length = 0;
    check(oh_fixedpool_region_size(&options, &length));
    return length;
  }
  static void* initialised(const internal::Memory& memory, const oh_fixedpool_options& options) {
    check(oh_fixedpool_init(memory.data(), memory.length(), &options));
    return memory.data();
  }
};

// A view of a NumaPool's region, which something else owns. For one thread at a time.
class NumaPoolView : public internal::PoolHandle<internal::NumaFunctions> {
 public:
  NumaPoolView(void* base, std::size_t length) : NumaPoolView(attach(base, length)) {}

  // A block on this node first, whatever the policy.
  Offset alloc_on(std::uint32_t node, std::uint64_t bytes) {
    Offset offset = 0;
    check(oh_numapool_alloc_on(get(), node, bytes, &offset));
    return offset;
  }
  // How many bytes an allocated block has for its user.
  std::uint64_t room(Offset offset) const {
    std::uint64_t room = 0;
    check(oh_numapool_room(get(), offset, &room));
    return room;
  }
  // The number of the node that an offset belongs to.
  std::uint32_t node_of(Offset offset) const {
    std::uint32_t node = 0;
    check(oh_numapool_node_of(get(), offset, &node));
    return node;
  }
  // Puts each node's blocks there, and with `populate` brings them in now. Throws with
  // OH_ERR_UNSUPPORTED where it is forbidden.
  void place(bool populate = false) { check(oh_numapool_place(get(), populate)); }

  oh_numapool_stats stats() const {
    oh_numapool_stats stats{};
    check(oh_numapool_get_stats(get(), &stats));
    return stats;
  }
  // Facts about the node at a place of the list, from 0 to stats().nodes - 1; with `pages` the
  // kernel is asked for its pages.
  oh_numapool_node node_at(std::size_t at, bool pages = false) const {
    oh_numapool_node node{};
    check(oh_numapool_node_at(get(), at, pages, &node));
    return node;
  }

 private:
  explicit NumaPoolView(oh_numapool* pool) : PoolHandle(pool, oh_numapool_data(pool)) {}
  static oh_numapool* attach(void* base, std::size_t length) {
    oh_numapool* pool = nullptr;
    check(oh_numapool_attach(base, length, &pool));
    return pool;
  }
};

// A pool with memory on each NUMA node, for one thread, that owns its memory: `capacity` bytes on
// each node that has memory. They are on their nodes once place() was called.
class NumaPool : private internal::Memory, public NumaPoolView {
 public:
  explicit NumaPool(std::uint64_t capacity, std::uint32_t policy = OH_NUMA_LOCAL)
      : NumaPool(sized(capacity, policy)) {}
  explicit NumaPool(const oh_numapool_options& options)
      : internal::Memory(length_of(options) + kPage),
        NumaPoolView(initialised(*this, options), internal::Memory::length() - kPage) {}
  // Views point into the memory, which stays where it is.
  NumaPool(NumaPool&&) = delete;
  NumaPool& operator=(NumaPool&&) = delete;

  void validate() const { check(oh_numapool_validate(start(*this), internal::Memory::length() - kPage)); }

 private:
  // Pages belong to a node whole; there are none larger than this.
  static constexpr std::size_t kPage = 65536;

  static oh_numapool_options sized(std::uint64_t capacity, std::uint32_t policy) {
    oh_numapool_options options{};
    options.struct_size = sizeof options;
    options.policy = policy;
    options.capacity = capacity;
    return options;
  }
  static std::uint64_t length_of(const oh_numapool_options& options) {
    std::uint64_t length = 0;
    check(oh_numapool_region_size(&options, &length));
    return length;
  }
  static void* start(const internal::Memory& memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    return static_cast<unsigned char*>(memory.data()) + (0 - address) % kPage;
  }
  static void* initialised(const internal::Memory& memory, const oh_numapool_options& options) {
    check(oh_numapool_init(start(memory), memory.length() - kPage, &options, false));
    return start(memory);
  }
};

}  // namespace offheap

#endif  // OFFHEAP_POOLS_HPP
