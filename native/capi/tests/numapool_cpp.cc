// Tests of offheap::NumaPool that hold on every machine. numapool.c tests the placement of pages.
#include <cstring>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

namespace {

void blocks() {
  offheap::NumaPool pool(1 << 20);
  const oh_status placed = status_of([&] { pool.place(true); });
  CHECK(placed == OH_OK || placed == OH_ERR_UNSUPPORTED);
  std::vector<std::uint64_t> offsets;
  for (unsigned i = 0; i < 300; i++) {
    const auto at = pool.alloc(1 + i % 200);
    CHECK(pool.room(at) >= 1 + i % 200);
    std::memset(pool.at(at), static_cast<int>(i & 0xff), 1 + i % 200);
    offsets.push_back(at);
  }
  for (unsigned i = 0; i < 300; i++) {
    const auto* bytes = static_cast<const unsigned char*>(pool.at(offsets[i]));
    CHECK(bytes[0] == (i & 0xff) && bytes[i % 200] == (i & 0xff));
  }
  const auto stats = pool.stats();
  CHECK(stats.nodes >= 1 && stats.blocks == 300 && stats.hits + stats.misses == 300);
  CHECK(pool.node_of(offsets[0]) == pool.node_at(0).id || stats.nodes > 1);
  const auto node = pool.node_at(0, true);
  CHECK(placed != OH_OK || (node.pages_here > 0 && node.pages_elsewhere == 0));
  for (const auto at : offsets) pool.free(at);
  {
    offheap::Block block(pool, 100);
    CHECK(pool.stats().blocks == 1);
  }
  CHECK(pool.stats().blocks == 0);
  pool.validate();
}

void policies() {
  const std::uint32_t nodes[] = {7, 900};  // need not exist: place() is not called
  oh_numapool_options options{};
  options.struct_size = sizeof options;
  options.policy = OH_NUMA_INTERLEAVE;
  options.nodes = nodes;
  options.node_count = 2;
  options.capacity = 256 << 10;
  options.guards = true;
  offheap::NumaPool pool(options);
  const auto one = pool.alloc(100), two = pool.alloc(100);
  CHECK(pool.node_of(one) == 7 && pool.node_of(two) == 900);
  CHECK(pool.node_of(pool.alloc_on(900, 10)) == 900);
  CHECK(status_of([&] { pool.alloc_on(3, 10); }) == OH_ERR_RANGE);
  auto* bytes = static_cast<unsigned char*>(pool.at(two));
  bytes[100] ^= 1;
  CHECK(status_of([&] { pool.free(two); }) == OH_ERR_CORRUPT);
  bytes[100] ^= 1;
  pool.free(two);
  CHECK(status_of([&] { pool.free(two); }) == OH_ERR_STALE);
  while (pool.try_alloc(16 << 10)) {
  }
  CHECK(status_of([&] { pool.alloc(16 << 10); }) == OH_ERR_FULL);
  CHECK(pool.stats().failures == 2);
  pool.free(one);
  pool.validate();
  CHECK(status_of([] { offheap::NumaPool none(0); }) == OH_ERR_RANGE);
}

}  // namespace

int main() {
  blocks();
  policies();
  return check_result();
}
