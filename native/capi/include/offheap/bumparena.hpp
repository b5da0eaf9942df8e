// offheap/bumparena.hpp: BumpArena. See offheap.hpp.
#ifndef OFFHEAP_BUMPARENA_HPP
#define OFFHEAP_BUMPARENA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// Blocks one behind the other, given back all at once or a scope at a time. Owns its memory, and
// grows by chunks; growth may move the bytes, so keep offsets and not pointers across alloc. Moves,
// does not copy.
//
//   offheap::BumpArena arena;
//   {
//     auto scope = arena.scope();
//     auto at = arena.alloc(100);
//     std::memset(arena.at(at, 100), 0, 100);
//   }  // what was allocated since is gone
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

  // Where a block of so many bytes begins: an offset, a multiple of `align` (at most 64).
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

  // The bytes at an offset, good until the next alloc. Throws if they do not lie within what is
  // allocated.
  void* at(std::uint64_t offset, std::size_t bytes) const {
    const oh_bumparena_info info = this->info();
    if (offset > info.used || bytes > info.used - offset) throw Error(OH_ERR_STALE, "not allocated");
    return static_cast<char*>(memory_.data()) + info.data + offset;
  }

  // Gives the block back if it was allocated last; otherwise it stays until it is released.
  void free(std::uint64_t offset) { check(oh_bumparena_free(memory_.data(), memory_.length(), offset)); }
  void reset() { check(oh_bumparena_reset(memory_.data(), memory_.length())); }
  void validate() const { check(oh_bumparena_validate(memory_.data(), memory_.length())); }

  oh_bumparena_info info() const {
    oh_bumparena_info info = {};
    check(oh_bumparena_get_info(memory_.data(), memory_.length(), &info));
    return info;
  }

  // Gives back, at its end, what was allocated since its begin. Scopes nest; a scope must not
  // outlive its arena. A broken guard is not reported by the destructor: call end() for that.
  class Scope {
   public:
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      if (arena_ != nullptr) oh_bumparena_release(arena_->memory_.data(), arena_->memory_.length(), &mark_);
    }
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
    // The block, its alignment and guard; and half as much as there is, so that n bytes cost O(n).
    const std::size_t more =
        std::max(static_cast<std::size_t>(bytes) + 128, memory_.length() / 2) / chunk_ + 1;
    internal::Memory larger(memory_.length() + more * chunk_);
    std::memcpy(larger.data(), memory_.data(), memory_.length());
    check(oh_bumparena_extend(larger.data(), larger.length()));
    memory_ = std::move(larger);
  }

  std::size_t chunk_;
  internal::Memory memory_;
};

}  // namespace offheap

#endif  // OFFHEAP_BUMPARENA_HPP
