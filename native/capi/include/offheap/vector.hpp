// offheap/vector.hpp: Vector and VectorView. See offheap.hpp.
#ifndef OFFHEAP_VECTOR_HPP
#define OFFHEAP_VECTOR_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The elements of a region that something else owns: see Vector. T: a number type of 1 to 8 bytes.
// Any number of threads may read while none writes.
//
// `sort` orders -0 before 0 and NaN last. `search` uses that order, but NaN equals NaN and -0
// equals 0.
template <typename T>
class VectorView {
 public:
  // The vector in `length` bytes at `base`, which must outlive the view. Throws OH_ERR_TYPE unless
  // its elements are of type T.
  VectorView(const void* base, std::size_t length) : base_(base), length_(length) {
    if (describe().element_type != internal::Codec<T>::number) {
      throw Error(OH_ERR_TYPE, "the vector has elements of another type");
    }
  }

  std::size_t size() const { return static_cast<std::size_t>(describe().count); }
  bool empty() const { return size() == 0; }
  const T* data() const { return static_cast<const T*>(describe().data); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  const T& operator[](std::size_t index) const { return data()[index]; }

  // Integers too are summed to a double. `oh_vector_sum` returns all 128 bits.
  double sum() const {
    oh_sum sum;
    check(oh_vector_sum(base_, length_, &sum));
    return sum.value;
  }
  // NaN if any element is NaN. None for an empty vector.
  std::optional<T> min() const { return extreme(false); }
  std::optional<T> max() const { return extreme(true); }
  // The index of the first element from `from` on that equals a value by `==`, or -1.
  std::int64_t index_of(T value, std::size_t from = 0) const {
    std::int64_t at = 0;
    check(oh_vector_index_of(base_, length_, internal::Codec<T>::number, &value, from, false, &at));
    return at;
  }
  // In a sorted vector, the index of the first element that equals a value, or -(i + 1), where i is
  // the index to insert it at.
  std::int64_t search(T value) const {
    std::int64_t at = 0;
    check(oh_vector_search(base_, length_, internal::Codec<T>::number, &value, 1, &at));
    return at;
  }
  // The indices of the elements in sorted order. The sort is stable.
  std::vector<std::uint32_t> argsort() const {
    std::vector<std::uint32_t> order(size());
    bool finished = false;
    check(oh_vector_argsort(base_, length_, nullptr, order.data(), order.size(), false, &finished));
    return order;
  }
  // Checks all contents, O(bytes). Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_vector_validate(base_, length_)); }

 private:
  oh_vector_info describe() const {
    oh_vector_info info;
    check(oh_vector_get_info(base_, length_, &info));
    return info;
  }
  std::optional<T> extreme(bool greatest) const {
    T value{};
    bool found = false;
    check(oh_vector_extreme(base_, length_, internal::Codec<T>::number, greatest, &value, &found));
    return found ? std::optional<T>(value) : std::nullopt;
  }

  const void* base_;
  std::size_t length_;
};

// A growable vector that owns its memory, aligned to 64 bytes. One thread at a time. It is moved,
// not copied. A moved-from vector is empty, and its calls throw OH_ERR_TYPE.
//
//   offheap::Vector<double> prices;
//   prices.push_back(3.5);
//   prices.sort();
template <typename T>
class Vector {
 public:
  explicit Vector(std::size_t capacity = 0)
      : vector_(internal::make_handle<Handle>(oh_owned_vector_new, internal::Codec<T>::number, capacity)) {
    refresh();
  }

  std::size_t size() const noexcept { return size_.value; }
  bool empty() const noexcept { return size() == 0; }
  T* data() noexcept { return data_.value; }
  const T* data() const noexcept { return data_.value; }
  T* begin() noexcept { return data_.value; }
  T* end() noexcept { return data() + size(); }
  const T* begin() const noexcept { return data_.value; }
  const T* end() const noexcept { return data() + size(); }
  T& operator[](std::size_t index) noexcept { return data()[index]; }
  const T& operator[](std::size_t index) const noexcept { return data()[index]; }
  T& front() noexcept { return data()[0]; }
  T& back() noexcept { return data()[size() - 1]; }

  void push_back(T value) { append(&value, 1); }
  // Amortized O(count). `values` must not point into this vector.
  void append(const T* values, std::size_t count) {
    check(oh_owned_vector_push(vector_.get(), values, count));
    refresh();
  }
  void reserve(std::size_t capacity) {
    check(oh_owned_vector_reserve(vector_.get(), capacity));
    refresh();
  }
  void truncate(std::size_t size) {
    check(oh_owned_vector_truncate(vector_.get(), size));
    refresh();
  }
  void sort() { check(oh_owned_vector_sort(vector_.get())); }

  double sum() { return view().sum(); }
  std::optional<T> min() { return view().min(); }
  std::optional<T> max() { return view().max(); }
  std::int64_t index_of(T value, std::size_t from = 0) { return view().index_of(value, from); }
  std::int64_t search(T value) { return view().search(value); }
  std::vector<std::uint32_t> argsort() { return view().argsort(); }

  // The region, to write to a file or to pass to JavaScript. Valid until the vector is changed.
  const void* base() { return region().first; }
  std::size_t region_size() { return region().second; }
  VectorView<T> view() {
    const auto [base, length] = region();
    return VectorView<T>(base, length);
  }

 private:
  // Rereads the address and number of the elements, which every access needs.
  void refresh() noexcept {
    data_.value = static_cast<T*>(oh_owned_vector_data(vector_.get()));
    size_.value = oh_owned_vector_count(vector_.get());
  }
  std::pair<void*, std::size_t> region() {
    void* base = nullptr;
    std::size_t length = 0;
    check(oh_owned_vector_region(vector_.get(), &base, &length));
    return {base, length};
  }

  using Handle = internal::Handle<oh_owned_vector, oh_owned_vector_free>;

  Handle vector_;
  internal::ResetOnMove<T*> data_;
  internal::ResetOnMove<std::size_t> size_;
};

}  // namespace offheap

#endif  // OFFHEAP_VECTOR_HPP
