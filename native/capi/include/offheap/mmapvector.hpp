// offheap/mmapvector.hpp: MmapVector. See offheap.hpp.
#ifndef OFFHEAP_MMAPVECTOR_HPP
#define OFFHEAP_MMAPVECTOR_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"

namespace offheap {

// A vector of numbers in a file that grows in place. What was flushed survives the process being
// killed, and power loss as far as the device honours a sync; closing discards the rest. One handle
// writes, any number read what it flushed. Moves, does not copy; what was moved from is empty, and
// its calls throw.
//
//   auto log = offheap::MmapVector<double>::create("prices.vec");
//   log.push_back(3.5);
//   log.flush();
//   const auto reader = offheap::MmapVector<double>::open("prices.vec");
//
// Flushed elements do not change: `set` throws OH_ERR_UNSUPPORTED for them. T: a number type of 1
// to 8 bytes.
template <typename T>
class MmapVector {
 public:
  // How a vector uses its file, to be changed.
  static oh_mmapvector_options options() noexcept {
    oh_mmapvector_options options = {};
    options.struct_size = sizeof options;
    return options;
  }

  // Makes a file with an empty vector, and opens it to be written. Throws if something is there
  // already.
  static MmapVector create(std::string_view path,
                           const oh_mmapvector_options& options = MmapVector::options()) {
    oh_mmapvector* made = nullptr;
    offheap::check(
        oh_mmapvector_create(path.data(), path.size(), internal::Codec<T>::number, &options, &made));
    return MmapVector(made);
  }
  // Opens the file of a vector of T. Throws OH_ERR_LOCKED if it is to be written and another handle
  // does.
  static MmapVector open(std::string_view path, bool writable = false,
                         const oh_mmapvector_options& options = MmapVector::options()) {
    oh_mmapvector* made = nullptr;
    offheap::check(oh_mmapvector_open(path.data(), path.size(), writable, &options, &made));
    MmapVector vector(made);
    if (vector.info().element_type != internal::Codec<T>::number) {
      throw Error(OH_ERR_TYPE, "the vector has elements of another type");
    }
    return vector;
  }

  MmapVector(MmapVector&& other) noexcept : vector_(std::exchange(other.vector_, nullptr)) {
    look();
    other.look();
  }
  MmapVector& operator=(MmapVector&& other) noexcept {
    MmapVector taken(std::move(other));
    std::swap(vector_, taken.vector_);
    look();
    return *this;
  }
  ~MmapVector() { oh_mmapvector_close(vector_); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // The elements: good until the vector grows or is refreshed. They are read, not written; see
  // `set`.
  const T* data() const noexcept { return data_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  const T& operator[](std::size_t index) const noexcept { return data_[index]; }
  // Throws past the end.
  T at(std::uint64_t index) const {
    T value{};
    offheap::check(oh_mmapvector_get(vector_, index, &value));
    return value;
  }
  const T& front() const noexcept { return data_[0]; }
  const T& back() const noexcept { return data_[size_ - 1]; }

  // Changes an element that was not flushed.
  void set(std::uint64_t index, T value) { offheap::check(oh_mmapvector_set(vector_, index, &value)); }
  // Throws OH_ERR_FULL, with nothing changed, where the disk is full.
  void push_back(T value) { append(&value, 1); }
  // All of them or none. `values` must not lie in this vector.
  void append(const T* values, std::size_t count) {
    const oh_status status = oh_mmapvector_push(vector_, values, count);
    // Also after a refusal: room may have been made elsewhere before that.
    data_ = static_cast<const T*>(oh_mmapvector_data(vector_));
    offheap::check(status);
    size_ += count;
  }
  // Drops all elements from `size` on.
  void truncate(std::uint64_t size) {
    offheap::check(oh_mmapvector_truncate(vector_, size));
    look();
  }
  // Makes room for so many elements more, so that pushing them allocates nothing.
  void reserve(std::uint64_t additional) {
    offheap::check(oh_mmapvector_reserve(vector_, additional));
    look();
  }

  // Returns when all elements are on the disk. If it throws, open the file anew: that tells what is
  // there.
  void flush() { offheap::check(oh_mmapvector_flush(vector_)); }
  // For a reader: takes in what the writer flushed since. Returns the size.
  std::size_t refresh() {
    std::uint64_t size = 0;
    offheap::check(oh_mmapvector_refresh(vector_, &size));
    look();
    return size_;
  }

  // Throws OH_ERR_IO if the file was cut short, so that zeros took the place of elements: look
  // after reading.
  void check() const { offheap::check(oh_mmapvector_check(vector_)); }
  // Compares the flushed elements with their checksum: O(bytes).
  void validate() const { offheap::check(oh_mmapvector_validate(vector_)); }

  oh_mmapvector_info info() const {
    oh_mmapvector_info info = {};
    offheap::check(oh_mmapvector_get_info(vector_, &info));
    return info;
  }
  // Elements that would be there after a crash now.
  std::uint64_t flushed() const { return info().flushed; }
  std::uint64_t capacity() const { return info().capacity; }
  bool writable() const { return info().writable; }
  // Whether opening met a flush that was cut short, and fell back to the one before.
  bool recovered() const { return info().recovered; }

  // The vector in C. It stays owned by this one.
  oh_mmapvector* handle() const noexcept { return vector_; }

 private:
  explicit MmapVector(oh_mmapvector* vector) noexcept : vector_(vector) { look(); }

  void look() noexcept {
    oh_mmapvector_info info = {};
    const bool there = vector_ != nullptr && oh_mmapvector_get_info(vector_, &info) == OH_OK;
    data_ = there ? static_cast<const T*>(oh_mmapvector_data(vector_)) : nullptr;
    size_ = static_cast<std::size_t>(info.count);
  }

  oh_mmapvector* vector_ = nullptr;
  const T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace offheap

#endif  // OFFHEAP_MMAPVECTOR_HPP
