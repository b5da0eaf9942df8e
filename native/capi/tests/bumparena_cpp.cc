// Tests of offheap::BumpArena: growth, scopes, guards, errors.
#include <cstring>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

namespace {

void grows_and_keeps() {
  offheap::BumpArena arena(256);
  std::vector<std::uint64_t> offsets;
  for (unsigned i = 0; i < 1000; i++) {
    const std::uint64_t at = arena.alloc(i % 200, i % 3 == 0 ? 64 : 8);
    std::memset(arena.at(at, i % 200), static_cast<int>(i & 0xff), i % 200);
    offsets.push_back(at);
  }
  bool same = true;
  for (unsigned i = 0; i < 1000; i++) {
    const auto* bytes = static_cast<const unsigned char*>(arena.at(offsets[i], i % 200));
    for (unsigned j = 0; j < i % 200; j++) same = same && bytes[j] == (i & 0xff);
  }
  CHECK(same);
  CHECK(arena.info().blocks == 1000);
  arena.validate();
  const std::uint64_t large = arena.alloc(1 << 20, 64);
  std::memset(arena.at(large, 1 << 20), 1, 1 << 20);
  CHECK(status_of([&] { arena.alloc(std::uint64_t{1} << 62); }) == OH_ERR_FULL);
  CHECK(status_of([&] { arena.alloc(8, 128); }) == OH_ERR_RANGE);
  arena.reset();
  CHECK(status_of([&] { arena.at(0, 1); }) == OH_ERR_STALE);
  CHECK(arena.alloc(8) == 0);
}

void scopes() {
  offheap::BumpArena arena(256, false, true);
  const std::uint64_t kept = arena.alloc(10);
  const std::uint64_t used = arena.info().used;
  try {
    auto outer = arena.scope();
    arena.alloc(1000);
    {
      auto inner = arena.scope();
      arena.alloc(5000);
    }
    CHECK(arena.info().blocks == 2);
    throw 1;
  } catch (int) {
    CHECK(arena.info().used == used);
  }
  auto scope = arena.scope();
  const std::uint64_t at = arena.alloc(10);
  static_cast<unsigned char*>(arena.at(at, 10))[10] ^= 1;
  CHECK(status_of([&] { scope.end(); }) == OH_ERR_CORRUPT);
  CHECK(arena.info().used == used);
  arena.free(kept);
  CHECK(arena.info().blocks == 0);
  offheap::BumpArena moved(std::move(arena));
  CHECK(moved.alloc(8) > 0);
}

}  // namespace

int main() {
  grows_and_keeps();
  scopes();
  return check_result();
}
