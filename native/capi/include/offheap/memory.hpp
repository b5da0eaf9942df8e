// offheap/memory.hpp: memory that a structure owns, and what owns it. See offheap.hpp.
#ifndef OFFHEAP_MEMORY_HPP
#define OFFHEAP_MEMORY_HPP

#include <cstddef>
#include <new>
#include <utility>

namespace offheap {

namespace internal {

// Memory for a region, 64-byte aligned; none in one that was moved from.
class Memory {
 public:
  explicit Memory(std::size_t length)
      : data_(::operator new(length, std::align_val_t{64})), length_(length) {}
  Memory(Memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), length_(std::exchange(other.length_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    Memory taken(std::move(other));
    std::swap(data_, taken.data_);
    std::swap(length_, taken.length_);
    return *this;
  }
  ~Memory() {
    if (data_ != nullptr) ::operator delete(data_, std::align_val_t{64});
  }
  void* data() const noexcept { return data_; }
  std::size_t length() const noexcept { return length_; }

 private:
  void* data_;
  std::size_t length_;
};

// A view of memory of its own. `View` is made of a region, or of nothing: then it is empty, and
// what was moved from becomes that.
//
// Memory comes first, so that it is the last to go.
template <typename View>
class Owned : private Memory, public View {
 public:
  Owned(Owned&& other) noexcept
      : Memory(std::move(other.memory())), View(std::exchange(other.view(), View())) {}
  Owned& operator=(Owned&& other) noexcept {
    Owned taken(std::move(other));
    std::swap(memory(), taken.memory());
    std::swap(view(), taken.view());
    return *this;
  }

 protected:
  // So many bytes, which the caller fills with a region, and then shows.
  explicit Owned(std::size_t length) : Memory(length) {}
  void show() { view() = View(Memory::data(), Memory::length()); }
  Memory& memory() noexcept { return *this; }

 private:
  View& view() noexcept { return *this; }
};

}  // namespace internal

}  // namespace offheap

#endif  // OFFHEAP_MEMORY_HPP
