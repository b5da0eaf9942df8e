// offheap/sharedmap_types.hpp: the values, times and events of a SharedMap. See sharedmap.hpp.
#ifndef OFFHEAP_SHAREDMAP_TYPES_HPP
#define OFFHEAP_SHAREDMAP_TYPES_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"

namespace offheap {

// JSON text as a value. It is not owned, and not parsed: the caller must ensure that it is JSON.
struct Json {
  std::string_view text;
};

// A JavaScript value as V8 serializes it (`v8.serialize`). It is not owned.
struct Structured {
  Bytes bytes;
};

namespace internal {

template <>
struct Codec<Json> {
  static constexpr std::uint32_t number = OH_TYPE_JSON;
  static constexpr bool plain = false;
  static const void* data(const Json& value) { return value.text.data(); }
  static std::size_t size(const Json& value) { return value.text.size(); }
  static Json read(const void* data, std::size_t size) { return {{static_cast<const char*>(data), size}}; }
};

template <>
struct Codec<Structured> {
  static constexpr std::uint32_t number = OH_TYPE_STRUCTURED;
  static constexpr bool plain = false;
  static const void* data(const Structured& value) { return value.bytes.data; }
  static std::size_t size(const Structured& value) { return value.bytes.size; }
  static Structured read(const void* data, std::size_t size) { return {{data, size}}; }
};

}  // namespace internal

// A value of a map in which each value has a type of its own. Text and bytes are not owned: see
// MixedValue.
//
// JavaScript has two types of numbers. `double`, `float` and integers of up to 32 bits are stored
// as its numbers, integers of 64 bits as its BigInts.
class Mixed {
 public:
  // The constructors are not explicit, so that a map of mixed values can be given any value.
  Mixed() noexcept : Mixed(0.0) {}
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  Mixed(T number) noexcept {
    if constexpr (std::is_same_v<T, bool>) {
      put(OH_TYPE_BOOL, static_cast<unsigned char>(number ? 1 : 0));
    } else if constexpr (std::is_floating_point_v<T> || sizeof(T) < 8) {
      put(OH_TYPE_F64, static_cast<double>(number));
    } else if constexpr (std::is_signed_v<T>) {
      put(OH_TYPE_I64, static_cast<std::int64_t>(number));
    } else {
      put(OH_TYPE_U64, static_cast<std::uint64_t>(number));
    }
  }
  Mixed(std::string_view text) noexcept : Mixed(OH_TYPE_STRING, text.data(), text.size()) {}
  Mixed(const std::string& text) noexcept : Mixed(std::string_view(text)) {}
  Mixed(const char* text) noexcept : Mixed(std::string_view(text)) {}
  Mixed(Bytes bytes) noexcept : Mixed(OH_TYPE_BYTES, bytes.data, bytes.size) {}
  Mixed(Json json) noexcept : Mixed(OH_TYPE_JSON, json.text.data(), json.text.size()) {}
  Mixed(Structured value) noexcept : Mixed(OH_TYPE_STRUCTURED, value.bytes.data, value.bytes.size) {}

  // The `size` bytes at `data` as a value of an oh_type. Text and bytes must outlive the object.
  static Mixed read(std::uint32_t type, const void* data, std::size_t size) noexcept {
    if (!is_number(type)) return Mixed(type, data, size);
    // A region may contain a number with any number of bytes.
    Mixed number(type, nullptr, size < sizeof number_ ? size : sizeof number_);
    if (number.size_ > 0) std::memcpy(number.number_, data, number.size_);
    return number;
  }

  // The oh_type: F64, U64, I64, BOOL, STRING, BYTES, JSON or STRUCTURED.
  std::uint32_t type() const noexcept { return type_; }
  const void* data() const noexcept { return is_number(type_) ? number_ : outside_; }
  std::size_t size() const noexcept { return size_; }

  // Whether the value has the type T: double, std::uint64_t, std::int64_t, bool, std::string_view,
  // Bytes, Json, Structured.
  template <typename T>
  bool is() const noexcept {
    return type_ == internal::Codec<T>::number;
  }
  // The value as a T. Throws OH_ERR_TYPE if it has another type.
  template <typename T>
  T as() const {
    if (!is<T>()) {
      throw Error(OH_ERR_TYPE, "the value has the oh_type " + std::to_string(type_) + ", not " +
                                   std::to_string(internal::Codec<T>::number));
    }
    return internal::Codec<T>::read(data(), size_);
  }

 private:
  Mixed(std::uint32_t type, const void* data, std::size_t size) noexcept
      : type_(type), size_(size), outside_(data) {}

  static bool is_number(std::uint32_t type) noexcept {
    return type == OH_TYPE_F64 || type == OH_TYPE_U64 || type == OH_TYPE_I64 || type == OH_TYPE_BOOL;
  }
  template <typename T>
  void put(std::uint32_t type, T number) noexcept {
    type_ = type;
    size_ = sizeof number;
    std::memcpy(number_, &number, sizeof number);
  }

  std::uint32_t type_ = OH_TYPE_F64;
  std::size_t size_ = 0;
  // Text and bytes. Numbers are here, so that an object may be copied.
  const void* outside_ = nullptr;
  unsigned char number_[8] = {};
};

// A Mixed that owns its text or bytes.
class MixedValue {
 public:
  // The number 0.
  MixedValue() : MixedValue(Mixed()) {}
  MixedValue(const Mixed& value)
      : type_(value.type()), bytes_(static_cast<const char*>(value.data()), value.size()) {}

  // The same value, valid as long as this object is not changed.
  Mixed view() const noexcept { return Mixed::read(type_, bytes_.data(), bytes_.size()); }
  operator Mixed() const noexcept { return view(); }
  std::uint32_t type() const noexcept { return type_; }
  template <typename T>
  bool is() const noexcept {
    return view().is<T>();
  }
  template <typename T>
  T as() const {
    return view().as<T>();
  }

 private:
  std::uint32_t type_ = OH_TYPE_F64;
  std::string bytes_;
};

// When an entry expires. The default is the map's time to live.
//
//   map.set(key, value, std::chrono::seconds(30));
//   map.set(key, value, offheap::Expiry::never());
class Expiry {
 public:
  using Milliseconds = std::chrono::duration<double, std::milli>;

  Expiry() noexcept = default;
  // That long after the construction of this object. Throws OH_ERR_RANGE unless it is positive.
  template <typename Rep, typename Period>
  Expiry(std::chrono::duration<Rep, Period> ttl)
      : Expiry(OH_SHAREDMAP_EXPIRY_AT, checked(Milliseconds(ttl)).count() + now()) {}
  static Expiry never() noexcept { return {OH_SHAREDMAP_EXPIRY_NEVER, 0}; }
  static Expiry at(std::chrono::system_clock::time_point time) noexcept {
    return {OH_SHAREDMAP_EXPIRY_AT, Milliseconds(time.time_since_epoch()).count()};
  }
  // When the entry that is replaced would have expired.
  static Expiry keep() noexcept { return {OH_SHAREDMAP_EXPIRY_KEEP, 0}; }

  // OH_SHAREDMAP_EXPIRY_...
  std::uint32_t mode() const noexcept { return mode_; }
  // Milliseconds since 1970, for OH_SHAREDMAP_EXPIRY_AT.
  double expires_at() const noexcept { return expires_at_; }

  // Milliseconds since 1970.
  static double now() noexcept {
    return Milliseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }

 private:
  Expiry(std::uint32_t mode, double expires_at) noexcept : mode_(mode), expires_at_(expires_at) {}
  static Milliseconds checked(Milliseconds ttl) {
    if (!(ttl.count() > 0)) {
      throw Error(OH_ERR_RANGE,
                  "a time to live must be above 0 ms, not " + std::to_string(ttl.count()) + " ms");
    }
    return ttl;
  }

  std::uint32_t mode_ = OH_SHAREDMAP_EXPIRY_DEFAULT;
  double expires_at_ = 0;
};

namespace internal {

// The representation of the values V of a SharedMap: the oh_type of such a map, the type that owns
// a value, the oh_type of one value (0 unless values are mixed), and conversions.
template <typename V>
struct SharedValue {
  using Owned = V;
  static constexpr std::uint32_t number = Codec<V>::number;
  static constexpr bool plain = true;
  static std::uint32_t type(const V&) noexcept { return 0; }
  static const void* data(const V& value) { return Codec<V>::data(value); }
  static std::size_t size(const V& value) { return Codec<V>::size(value); }
  static V read(std::uint32_t, const void* data, std::size_t size) { return Codec<V>::read(data, size); }
  static const V& view(const Owned& value) { return value; }
  static void own(const V& value, Owned& out) { out = value; }
};

template <typename V, typename Container>
struct SharedBlob {
  using Owned = Container;
  static constexpr std::uint32_t number = Codec<V>::number;
  static constexpr bool plain = false;
  static std::uint32_t type(const V&) noexcept { return 0; }
  static const void* data(const V& value) { return Codec<V>::data(value); }
  static std::size_t size(const V& value) { return Codec<V>::size(value); }
  static V read(std::uint32_t, const void* data, std::size_t size) { return Codec<V>::read(data, size); }
  static V view(const Owned& value) { return Codec<V>::read(value.data(), value.size()); }
  // Keeps the capacity of `out`.
  static void own(const V& value, Owned& out) {
    const auto* bytes = static_cast<const typename Owned::value_type*>(data(value));
    out.assign(bytes, bytes + size(value));
  }
};

template <>
struct SharedValue<std::string_view> : SharedBlob<std::string_view, std::string> {};
template <>
struct SharedValue<Json> : SharedBlob<Json, std::string> {};
template <>
struct SharedValue<Bytes> : SharedBlob<Bytes, std::vector<unsigned char>> {};
template <>
struct SharedValue<Structured> : SharedBlob<Structured, std::vector<unsigned char>> {};

template <>
struct SharedValue<Mixed> {
  using Owned = MixedValue;
  static constexpr std::uint32_t number = OH_TYPE_MIXED;
  static constexpr bool plain = false;
  static std::uint32_t type(const Mixed& value) noexcept { return value.type(); }
  static const void* data(const Mixed& value) noexcept { return value.data(); }
  static std::size_t size(const Mixed& value) noexcept { return value.size(); }
  static Mixed read(std::uint32_t type, const void* data, std::size_t size) noexcept {
    return Mixed::read(type, data, size);
  }
  static Mixed view(const Owned& value) noexcept { return value.view(); }
  static void own(const Mixed& value, Owned& out) { out = value; }
};

}  // namespace internal

}  // namespace offheap

#endif  // OFFHEAP_SHAREDMAP_TYPES_HPP
