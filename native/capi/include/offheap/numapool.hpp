// offheap/numapool.hpp: NumaPool and NumaPoolView. See offheap.hpp.
#ifndef OFFHEAP_NUMAPOOL_HPP
#define OFFHEAP_NUMAPOOL_HPP

#include <cstddef>
#include <cstdint>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"
#include "pool.hpp"

namespace offheap {

namespace internal {

struct NumaPoolFunctions {
  using Raw = oh_numapool;
  static constexpr auto close = oh_numapool_close;
  static constexpr auto data = oh_numapool_data;
  static constexpr auto alloc = oh_numapool_alloc;
  static constexpr auto free = oh_numapool_free;
};

}  // namespace internal

// A handle on the region of a NumaPool that something else owns. One thread at a time.
class NumaPoolView : public internal::PoolHandle<internal::NumaPoolFunctions> {
 public:
  // A view of nothing: its calls throw OH_ERR_TYPE.
  NumaPoolView() noexcept = default;
  // The pool in `length` bytes at `base`, which must outlive the view. Throws unless they are one.
  NumaPoolView(void* base, std::size_t length)
      : PoolHandle(internal::make_handle<Raw>(oh_numapool_attach, base, length)) {}

  // A block on this node first, independent of the policy.
  Offset alloc_on(std::uint32_t node, std::uint64_t bytes) {
    Offset offset = 0;
    check(oh_numapool_alloc_on(get(), node, bytes, &offset));
    return offset;
  }
  // The number of bytes that the user of an allocated block may write.
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
  // Places the blocks of each node on that node, and with `populate` allocates their pages now.
  // Throws OH_ERR_UNSUPPORTED if the system forbids it.
  void place(bool populate = false) { check(oh_numapool_place(get(), populate)); }

  oh_numapool_stats stats() const {
    oh_numapool_stats stats{};
    check(oh_numapool_get_stats(get(), &stats));
    return stats;
  }
  // Facts about the node at an index of the pool's list, from 0 to stats().nodes - 1. With `pages`
  // the kernel is asked for its pages.
  oh_numapool_node node_at(std::size_t at, bool pages = false) const {
    oh_numapool_node node{};
    check(oh_numapool_node_at(get(), at, pages, &node));
    return node;
  }
};

// A pool with `capacity` bytes on each NUMA node that has memory. It owns its memory, which is on
// the nodes after a call of place(). One thread at a time.
class NumaPool : public internal::Owned<NumaPoolView> {
 public:
  explicit NumaPool(std::uint64_t capacity, std::uint32_t policy = OH_NUMA_LOCAL)
      : NumaPool(sized(capacity, policy)) {}
  explicit NumaPool(const oh_numapool_options& options) : Owned(length_of(options) + kPage) {
    check(oh_numapool_init(start(), length(), &options, false));
    show(start(), length());
  }
  // A Block refers to its pool, which therefore cannot be moved.
  NumaPool(NumaPool&&) = delete;
  NumaPool& operator=(NumaPool&&) = delete;

  // Checks all blocks. Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_numapool_validate(start(), length())); }

 private:
  // A page belongs to one node. No page is larger than this.
  static constexpr std::size_t kPage = 65536;

  static oh_numapool_options sized(std::uint64_t capacity, std::uint32_t policy) {
    oh_numapool_options options{};
    options.struct_size = sizeof options;
    options.policy = policy;
    options.capacity = capacity;
    return options;
  }
  static std::size_t length_of(const oh_numapool_options& options) {
    std::uint64_t length = 0;
    check(oh_numapool_region_size(&options, &length));
    return static_cast<std::size_t>(length);
  }

  // The region begins at the first page boundary within the memory.
  void* start() const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(memory().data());
    return static_cast<unsigned char*>(memory().data()) + (0 - address) % kPage;
  }
  std::size_t length() const noexcept { return memory().length() - kPage; }
};

}  // namespace offheap

#endif  // OFFHEAP_NUMAPOOL_HPP
