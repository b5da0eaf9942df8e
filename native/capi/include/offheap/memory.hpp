// offheap/memory.hpp: memory that a structure owns. See offheap.hpp.
#ifndef OFFHEAP_MEMORY_HPP
#define OFFHEAP_MEMORY_HPP

#include <cstddef>
#include <new>
#include <utility>

namespace offheap {

namespace internal {

// Memory for a region, 64-byte aligned.
class Memory {
 public:
  explicit Memory(std::size_t length)
      : data_(::operator new(length, std::align_val_t{64})), length_(length) {}
  Memory(Memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), length_(std::exchange(other.length_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(length_, other.length_);
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

}  // namespace internal

}  // namespace offheap

#endif  // OFFHEAP_MEMORY_HPP
