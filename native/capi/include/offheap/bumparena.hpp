// offheap/bumparena.hpp: BumpArena. See offheap.hpp.
#ifndef OFFHEAP_BUMPARENA_HPP
#define OFFHEAP_BUMPARENA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// Allocates blocks one after another and releases them all at once or by scope. It owns its memory
// and grows by chunks. Growth may move the bytes, so keep offsets, not pointers, across alloc. One
// thread at a time. It is moved, not copied. The calls of a moved-from arena throw.
//
//   offheap::BumpArena arena;
//   {
//     auto scope = arena.scope();
//     auto at = arena.alloc(100);
//     std::memset(arena.at(at, 100), 0, 100);
//   }  // releases the block
class BumpArena {
 public:
  explicit BumpArena(std::size_t chunk = 65536, bool zero_on_free = false, bool guards = false)
      : chunk_((std::max<std::size_t>(chunk, 64) + 63) & ~std::size_t{63}), memory_(chunk_ + 256) {
    oh_bumparena_options options = {};
    options.struct_size = sizeof options;
    options.zero_on_free = zero_on_free;
    options.guards = guards;
    check(oh_bumparena_init(memory_.data(), memory_.length(), &options));
  }

  // The offset of a block of `bytes` bytes, a multiple of `align`, which is at most 64. Amortized
  // constant time. Throws OH_ERR_FULL past 16 GiB.
  std::uint64_t alloc(std::uint64_t bytes, std::uint32_t align = 8) {
    std::uint64_t offset = 0;
    oh_status status = oh_bumparena_alloc(memory_.data(), memory_.length(), bytes, align, &offset);
    if (status == OH_ERR_FULL) {
      grow(bytes);
      status = oh_bumparena_alloc(memory_.data(), memory_.length(), bytes, align, &offset);
    }
    check(status);
    return offset;
  }

  // The bytes at an offset, valid until the next alloc. Throws OH_ERR_STALE if some of them are not
  // allocated.
  void* at(std::uint64_t offset, std::size_t bytes) const {
    const oh_bumparena_info info = this->info();
    if (offset > info.used || bytes > info.used - offset) {
      throw Error(OH_ERR_STALE, std::to_string(bytes) + " bytes at offset " + std::to_string(offset) +
                                    " are not allocated");
    }
    return static_cast<char*>(memory_.data()) + info.data + offset;
  }

  // Releases the block if it was allocated last. Otherwise its bytes remain in use until the scope
  // ends or the arena is reset.
  void free(std::uint64_t offset) { check(oh_bumparena_free(memory_.data(), memory_.length(), offset)); }
  void reset() { check(oh_bumparena_reset(memory_.data(), memory_.length())); }
  // Checks the header and all guards. Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_bumparena_validate(memory_.data(), memory_.length())); }

  oh_bumparena_info info() const {
    oh_bumparena_info info = {};
    check(oh_bumparena_get_info(memory_.data(), memory_.length(), &info));
    return info;
  }

  // Releases, at its end, all blocks allocated since its beginning. Scopes nest. A scope must not
  // outlive its arena. The destructor does not report a broken guard: call end() for that.
  class Scope {
   public:
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      if (arena_ != nullptr) oh_bumparena_release(arena_->memory_.data(), arena_->memory_.length(), &mark_);
    }
    // Throws OH_ERR_CORRUPT if a guard is broken. The blocks are released in any case.
    void end() {
      BumpArena& arena = *std::exchange(arena_, nullptr);
      check(oh_bumparena_release(arena.memory_.data(), arena.memory_.length(), &mark_));
    }

   private:
    friend class BumpArena;
    explicit Scope(BumpArena& arena) : arena_(&arena) {
      check(oh_bumparena_begin(arena.memory_.data(), arena.memory_.length(), &mark_));
    }
    BumpArena* arena_;
    oh_bumparena_mark mark_ = {};
  };
  [[nodiscard]] Scope scope() { return Scope(*this); }

  const void* base() const noexcept { return memory_.data(); }
  std::size_t length() const noexcept { return memory_.length(); }

 private:
  void grow(std::uint64_t bytes) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 34;
    if (bytes > kMost) throw Error(OH_ERR_FULL, "an arena holds 16 GiB at most");
    // Room for the block, its alignment and its guard, and at least half of the current length, so
    // that allocating n bytes costs O(n).
    const std::size_t more =
        std::max(static_cast<std::size_t>(bytes) + 128, memory_.length() / 2) / chunk_ + 1;
    internal::Memory larger = memory_.grown(memory_.length() + more * chunk_);
    check(oh_bumparena_extend(larger.data(), larger.length()));
    memory_ = std::move(larger);
  }

  std::size_t chunk_;
  internal::Memory memory_;
};

}  // namespace offheap

#endif  // OFFHEAP_BUMPARENA_HPP
