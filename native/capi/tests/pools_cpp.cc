// Tests of offheap::FixedPool, LockFreePool and ThreadLocalPool: blocks, threads, errors.
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

static void fixed() {
  offheap::FixedPool pool(48, 3);
  const auto first = pool.alloc(48);
  {
    offheap::Block block(pool, 10);
    std::memset(block.data(), 1, 10);
    CHECK(block.offset() != first);
    CHECK(pool.try_alloc(48).has_value() && !pool.try_alloc(48).has_value());
  }
  CHECK(pool.try_alloc(48).has_value());
  pool.free(first);
  CHECK(status_of([&] { pool.free(first); }) == OH_ERR_STALE);
}

static void lock_free() {
  const offheap::LockFreePool pool(1 << 20);
  auto main = pool.handle();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++) {
    threads.emplace_back([&pool, t] {
      auto handle = pool.handle();
      auto local = pool.cached(1 << 16);
      for (int i = 0; i < 20000; i++) {
        offheap::Block one(handle, 100);
        offheap::Block two(local, 64);
        std::memset(one.data(), t, 100);
        std::memset(two.data(), t, 64);
        CHECK(static_cast<unsigned char*>(one.data())[i % 100] == t);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(main.stats().used == 0 && main.stats().handles == 1);
  pool.validate();
  auto moved = std::move(main);
  CHECK(moved.alloc(1 << 20) == 0);
  CHECK(!moved.try_alloc(1).has_value());
}

int main() {
  fixed();
  lock_free();
  return check_result();
}
