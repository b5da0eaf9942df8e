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

namespace offheap {

// What every vector can do that is in memory somewhere. T: a number type of 1 to 8 bytes.
//
// `sort` orders −0 before 0 and NaN last, `search` goes by that order, with NaN equal to NaN and −0
// to 0.
template <typename T>
class VectorView {
 public:
  // The vector in `length` bytes at `base`, which must outlive the view. Throws if its elements are
  // no T.
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

  // Of integers as a double too; `oh_vector_sum` has all 128 bits.
  double sum() const {
    oh_sum sum;
    check(oh_vector_sum(base_, length_, &sum));
    return sum.value;
  }
  // NaN if there is one; none of no elements.
  std::optional<T> min() const { return extreme(false); }
  std::optional<T> max() const { return extreme(true); }
  // The index of the first element that is `==` to a value, or -1.
  std::int64_t index_of(T value, std::size_t from = 0) const {
    std::int64_t at = 0;
    check(oh_vector_index_of(base_, length_, internal::Codec<T>::number, &value, from, false, &at));
    return at;
  }
  // In a sorted vector: the index of the first element equal to a value, or -(i + 1), with the
  // index to insert it at.
  std::int64_t search(T value) const {
    std::int64_t at = 0;
    check(oh_vector_search(base_, length_, internal::Codec<T>::number, &value, 1, &at));
    return at;
  }
  // The indices of the elements in sorted order; equal ones in their own.
  std::vector<std::uint32_t> argsort() const {
    std::vector<std::uint32_t> order(size());
    bool finished = false;
    check(oh_vector_argsort(base_, length_, nullptr, order.data(), order.size(), false, &finished));
    return order;
  }
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

// A vector that owns its memory, which starts at a multiple of 64 and grows by itself.
//
//   offheap::Vector<double> prices;
//   prices.push_back(3.5);
//   prices.sort();
template <typename T>
class Vector {
 public:
  explicit Vector(std::size_t capacity = 0) {
    check(oh_owned_vector_new(internal::Codec<T>::number, capacity, &vec_));
  }
  // What was moved from is empty, and its calls throw.
  Vector(Vector&& other) noexcept : vec_(std::exchange(other.vec_, nullptr)) {
    look();
    other.look();
  }
  Vector& operator=(Vector&& other) noexcept {
    Vector taken(std::move(other));
    std::swap(vec_, taken.vec_);
    look();
    return *this;
  }
  ~Vector() { oh_owned_vector_free(vec_); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  T& operator[](std::size_t index) noexcept { return data_[index]; }
  const T& operator[](std::size_t index) const noexcept { return data_[index]; }
  T& front() noexcept { return data_[0]; }
  T& back() noexcept { return data_[size_ - 1]; }

  void push_back(T value) { append(&value, 1); }
  // `values` must not lie in this vector.
  void append(const T* values, std::size_t count) {
    check(oh_owned_vector_push(vec_, values, count));
    look();
  }
  void reserve(std::size_t capacity) {
    check(oh_owned_vector_reserve(vec_, capacity));
    look();
  }
  void truncate(std::size_t size) {
    check(oh_owned_vector_truncate(vec_, size));
    look();
  }
  void sort() { check(oh_owned_vector_sort(vec_)); }

  double sum() { return view().sum(); }
  std::optional<T> min() { return view().min(); }
  std::optional<T> max() { return view().max(); }
  std::int64_t index_of(T value, std::size_t from = 0) { return view().index_of(value, from); }
  std::int64_t search(T value) { return view().search(value); }
  std::vector<std::uint32_t> argsort() { return view().argsort(); }

  // The region: what to write to a file, or hand to JavaScript. Good until the vector is changed.
  const void* base() { return region().first; }
  std::size_t region_size() { return region().second; }
  VectorView<T> view() {
    const auto [base, length] = region();
    return VectorView<T>(base, length);
  }

 private:
  void look() noexcept {
    data_ = static_cast<T*>(oh_owned_vector_data(vec_));
    size_ = oh_owned_vector_count(vec_);
  }
  std::pair<void*, std::size_t> region() {
    void* base = nullptr;
    std::size_t length = 0;
    check(oh_owned_vector_region(vec_, &base, &length));
    return {base, length};
  }

  oh_owned_vector* vec_ = nullptr;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace offheap

#endif  // OFFHEAP_VECTOR_HPP
