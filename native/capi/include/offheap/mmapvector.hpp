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
#include "memory.hpp"

namespace offheap {

// A vector of numbers in a file that grows in place. Flushed elements survive the termination of
// the process, and power loss as far as the device honors a sync. Closing discards elements that
// were not flushed. One handle writes; any number of handles read the flushed elements. A handle
// belongs to one thread at a time. It is moved, not copied. A moved-from vector is empty, and its
// calls throw OH_ERR_TYPE.
//
//   auto log = offheap::MmapVector<double>::create("prices.vec");
//   log.push_back(3.5);
//   log.flush();
//   const auto reader = offheap::MmapVector<double>::open("prices.vec");
//
// Flushed elements cannot be changed: `set` throws OH_ERR_UNSUPPORTED for them. T: a number type of
// 1 to 8 bytes.
template <typename T>
class MmapVector {
 public:
  // The default options.
  static oh_mmapvector_options options() noexcept {
    oh_mmapvector_options options = {};
    options.struct_size = sizeof options;
    return options;
  }

  // Creates a file with an empty vector and opens it for writing. Throws OH_ERR_IO if the path
  // exists.
  static MmapVector create(std::string_view path,
                           const oh_mmapvector_options& options = MmapVector::options()) {
    return MmapVector(internal::make_handle<Handle>(oh_mmapvector_create, path.data(), path.size(),
                                                    internal::Codec<T>::number, &options));
  }
  // Opens the file of a vector of T. Throws OH_ERR_LOCKED if `writable` is true and another handle
  // writes to the file.
  static MmapVector open(std::string_view path, bool writable = false,
                         const oh_mmapvector_options& options = MmapVector::options()) {
    MmapVector vector(
        internal::make_handle<Handle>(oh_mmapvector_open, path.data(), path.size(), writable, &options));
    if (vector.info().element_type != internal::Codec<T>::number) {
      throw Error(OH_ERR_TYPE, "the vector has elements of another type");
    }
    return vector;
  }

  std::size_t size() const noexcept { return size_.value; }
  bool empty() const noexcept { return size() == 0; }
  // The elements, valid until the vector grows or is refreshed. They are read-only: see `set`.
  const T* data() const noexcept { return data_.value; }
  const T* begin() const noexcept { return data_.value; }
  const T* end() const noexcept { return data() + size(); }
  const T& operator[](std::size_t index) const noexcept { return data()[index]; }
  // Throws OH_ERR_RANGE past the end.
  T at(std::uint64_t index) const {
    T value{};
    offheap::check(oh_mmapvector_get(vector_.get(), index, &value));
    return value;
  }
  const T& front() const noexcept { return data()[0]; }
  const T& back() const noexcept { return data()[size() - 1]; }

  // Changes an element that is not flushed yet.
  void set(std::uint64_t index, T value) { offheap::check(oh_mmapvector_set(vector_.get(), index, &value)); }
  // Throws OH_ERR_FULL, without a change, if the disk is full.
  void push_back(T value) { append(&value, 1); }
  // Appends all `count` values or none. `values` must not point into this vector.
  void append(const T* values, std::size_t count) {
    const oh_status status = oh_mmapvector_push(vector_.get(), values, count);
    // After an error too: the elements may have moved before the error.
    data_.value = static_cast<const T*>(oh_mmapvector_data(vector_.get()));
    offheap::check(status);
    size_.value += count;
  }
  // Drops all elements from `size` on.
  void truncate(std::uint64_t size) {
    offheap::check(oh_mmapvector_truncate(vector_.get(), size));
    reread();
  }
  // Makes room for `additional` more elements, so that appending them does not grow the file.
  void reserve(std::uint64_t additional) {
    offheap::check(oh_mmapvector_reserve(vector_.get(), additional));
    reread();
  }

  // Returns after all elements are on the disk. If it throws, reopen the file to learn which
  // elements are.
  void flush() { offheap::check(oh_mmapvector_flush(vector_.get())); }
  // For a reader: includes the elements that the writer has flushed since. Returns the size.
  std::size_t refresh() {
    std::uint64_t size = 0;
    offheap::check(oh_mmapvector_refresh(vector_.get(), &size));
    reread();
    return this->size();
  }

  // Throws OH_ERR_IO if the file was truncated while it was mapped: then lost elements read as
  // zeros. Call it after reading.
  void check() const { offheap::check(oh_mmapvector_check(vector_.get())); }
  // Compares the flushed elements with their checksum: O(bytes).
  void validate() const { offheap::check(oh_mmapvector_validate(vector_.get())); }

  oh_mmapvector_info info() const {
    oh_mmapvector_info info = {};
    offheap::check(oh_mmapvector_get_info(vector_.get(), &info));
    return info;
  }
  // The number of elements that would survive a crash now.
  std::uint64_t flushed() const { return info().flushed; }
  std::uint64_t capacity() const { return info().capacity; }
  bool writable() const { return info().writable; }
  // Whether opening found an incomplete flush and restored the flush before it.
  bool recovered() const { return info().recovered; }

  // The handle for C functions, which this vector owns.
  oh_mmapvector* handle() const noexcept { return vector_.get(); }

 private:
  using Handle = internal::Handle<oh_mmapvector, oh_mmapvector_close>;

  explicit MmapVector(Handle vector) noexcept : vector_(std::move(vector)) { reread(); }

  // Rereads the address and number of the elements, which every access needs.
  void reread() noexcept {
    oh_mmapvector_info info = {};
    const bool open = oh_mmapvector_get_info(vector_.get(), &info) == OH_OK;
    data_.value = open ? static_cast<const T*>(oh_mmapvector_data(vector_.get())) : nullptr;
    size_.value = static_cast<std::size_t>(info.count);
  }

  Handle vector_;
  internal::ResetOnMove<const T*> data_;
  internal::ResetOnMove<std::size_t> size_;
};

}  // namespace offheap

#endif  // OFFHEAP_MMAPVECTOR_HPP
