// offheap/sharedmap_memory.hpp: the memory and the buffers of a SharedMap. See sharedmap.hpp.
#ifndef OFFHEAP_SHAREDMAP_MEMORY_HPP
#define OFFHEAP_SHAREDMAP_MEMORY_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include "../offheap.h"
#include "memory.hpp"

namespace offheap {

namespace internal {

// The memory of a map: zeros, of which the system provides the pages that are used. They start at a
// page, so that pages that become free can be returned.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t length) : block_(std::calloc(length + kPage, 1)) {
    if (!block_) throw std::bad_alloc();
  }
  void* base() const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(block_.get());
    return static_cast<unsigned char*>(block_.get()) + (kPage - address % kPage) % kPage;
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static void release(void* block) { std::free(block); }

  Handle<void, release> block_;
};

// An attachment, and its memory, which exists at least as long.
struct SharedAttachment {
  std::shared_ptr<SharedMemory> memory;
  Handle<oh_sharedmap, oh_sharedmap_close> map;

  SharedAttachment() = default;
  SharedAttachment(SharedAttachment&&) noexcept = default;
  SharedAttachment& operator=(SharedAttachment&& other) noexcept {
    SharedAttachment taken(std::move(other));
    std::swap(memory, taken.memory);
    std::swap(map, taken.map);
    return *this;
  }
};

// Bytes of no particular value, which grow and never shrink.
class Scratch {
 public:
  void* data() const noexcept { return data_.get(); }
  std::size_t capacity() const noexcept { return capacity_; }
  // The bytes are lost.
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    data_.reset(new unsigned char[capacity]);
    capacity_ = capacity;
  }
  Scratch() = default;
  Scratch(Scratch&& other) noexcept
      : data_(std::move(other.data_)), capacity_(std::exchange(other.capacity_, std::size_t{0})) {}
  Scratch& operator=(Scratch&& other) noexcept {
    data_ = std::move(other.data_);
    capacity_ = std::exchange(other.capacity_, std::size_t{0});
    return *this;
  }

 private:
  std::unique_ptr<unsigned char[]> data_;
  std::size_t capacity_ = 0;
};

// Takes the buffer of an attachment while its contents are in use, because the code that uses them
// may read from the attachment, too.
class Borrowed {
 public:
  explicit Borrowed(Scratch& home) noexcept : home_(home), scratch_(std::move(home)) {}
  ~Borrowed() {
    if (home_.capacity() < scratch_.capacity()) home_ = std::move(scratch_);
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Scratch* operator->() noexcept { return &scratch_; }

 private:
  Scratch& home_;
  Scratch scratch_;
};

}  // namespace internal

}  // namespace offheap

#endif  // OFFHEAP_SHAREDMAP_MEMORY_HPP
