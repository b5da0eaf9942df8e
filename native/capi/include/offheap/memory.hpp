// offheap/memory.hpp: owners of memory and of handles of the C ABI. See offheap.hpp.
//
// - Handle: a pointer that the C ABI returned, and the function that frees it.
// - ResetOnMove: a member that is empty after a move.
// - Memory: the bytes of a region.
// - Owned: a view together with the memory that it is over.
//
// All of them are moved and never copied, and moves do not throw. A class made of them needs no
// move operations of its own.
#ifndef OFFHEAP_MEMORY_HPP
#define OFFHEAP_MEMORY_HPP

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "error.hpp"

namespace offheap {

namespace internal {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* handle) const noexcept {
    kFree(handle);
  }
};

// Owns a handle of the C ABI, which kFree releases. Null after a move: the C ABI refuses a null
// handle with OH_ERR_TYPE.
template <typename T, auto kFree>
using Handle = std::unique_ptr<T, Free<kFree>>;

// The handle that `make` writes through its last argument. Throws if `make` fails.
template <typename Handle, typename Make, typename... Arguments>
Handle make_handle(Make make, Arguments... arguments) {
  typename Handle::pointer handle = nullptr;
  check(make(arguments..., &handle));
  return Handle(handle);
}

// A value that is T() again after it was moved from. For members that describe a handle.
template <typename T>
struct ResetOnMove {
  T value = T();

  ResetOnMove() = default;
  explicit ResetOnMove(T initial) noexcept : value(initial) {}
  ResetOnMove(ResetOnMove&& other) noexcept : value(std::exchange(other.value, T())) {}
  ResetOnMove& operator=(ResetOnMove&& other) noexcept {
    value = std::exchange(other.value, T());
    return *this;
  }
};

// Uninitialized memory for a region, aligned to 64 bytes. After a move its data is null and its
// length 0.
class Memory {
 public:
  explicit Memory(std::size_t length)
      : data_(::operator new(length, std::align_val_t{64})), length_(length) {}
  std::size_t length() const noexcept { return length_.value; }
  void* data() const noexcept { return data_.get(); }

  // Larger memory that begins with a copy of these bytes. The rest is uninitialized.
  Memory grown(std::size_t length) const {
    Memory larger(length);
    std::memcpy(larger.data(), data(), this->length());
    return larger;
  }

 private:
  static void release(void* data) { ::operator delete(data, std::align_val_t{64}); }

  Handle<void, release> data_;
  ResetOnMove<std::size_t> length_;
};

// The first base of Owned, so that the memory is constructed before the view and destroyed after
// it.
struct MemoryBase {
  Memory owned_memory;
};

// A view over memory of its own. `View` has a constructor from a region's address and length, and a
// default constructor for a view of nothing, which is what a move leaves.
template <typename View>
class Owned : private MemoryBase, public View {
 public:
  Owned(Owned&& other) noexcept
      : MemoryBase{std::move(other.memory())}, View(std::exchange(other.view(), View())) {}
  Owned& operator=(Owned&& other) noexcept {
    Owned taken(std::move(other));
    std::swap(memory(), taken.memory());
    std::swap(view(), taken.view());
    return *this;
  }

 protected:
  // Allocates `length` bytes. The caller writes a region to them and then calls show().
  explicit Owned(std::size_t length) : MemoryBase{Memory(length)} {}
  // Copies a region.
  Owned(const void* base, std::size_t length) : MemoryBase{Memory(length)} {
    std::memcpy(memory().data(), base, length);
    show();
  }

  // Opens the view, at the beginning of the memory or at a place within it.
  void show() { show(memory().data(), memory().length()); }
  void show(void* base, std::size_t length) { view() = View(base, length); }

  // Moves the region to larger memory and reopens the view.
  void grow(std::size_t length) {
    memory() = memory().grown(length);
    show();
  }

  Memory& memory() noexcept { return this->owned_memory; }
  const Memory& memory() const noexcept { return this->owned_memory; }

 private:
  View& view() noexcept { return *this; }
};

}  // namespace internal

}  // namespace offheap

#endif  // OFFHEAP_MEMORY_HPP
