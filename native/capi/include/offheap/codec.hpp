// offheap/codec.hpp: the representation of C++ types in the C ABI. See offheap.hpp.
#ifndef OFFHEAP_CODEC_HPP
#define OFFHEAP_CODEC_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "../offheap.h"

namespace offheap {

// Bytes that are not text, as a key or a value. They are not owned.
struct Bytes {
  const void* data = nullptr;
  std::size_t size = 0;
};

namespace internal {

// The number of a type in the format, the address and length of a value, and the reverse.
template <typename T>
struct Codec;

template <typename T, std::uint32_t kNumber>
struct NumberCodec {
  static constexpr std::uint32_t number = kNumber;
  static constexpr bool plain = true;
  static const void* data(const T& value) { return &value; }
  static std::size_t size(const T&) { return sizeof(T); }
  static T read(const void* data, std::size_t) {
    T value;
    std::memcpy(&value, data, sizeof value);
    return value;
  }
};

// generated (npm run generate): codecs of numbers
template <>
struct Codec<std::uint8_t> : NumberCodec<std::uint8_t, OH_TYPE_U8> {};
template <>
struct Codec<std::int8_t> : NumberCodec<std::int8_t, OH_TYPE_I8> {};
template <>
struct Codec<std::uint16_t> : NumberCodec<std::uint16_t, OH_TYPE_U16> {};
template <>
struct Codec<std::int16_t> : NumberCodec<std::int16_t, OH_TYPE_I16> {};
template <>
struct Codec<std::uint32_t> : NumberCodec<std::uint32_t, OH_TYPE_U32> {};
template <>
struct Codec<std::int32_t> : NumberCodec<std::int32_t, OH_TYPE_I32> {};
template <>
struct Codec<float> : NumberCodec<float, OH_TYPE_F32> {};
template <>
struct Codec<double> : NumberCodec<double, OH_TYPE_F64> {};
template <>
struct Codec<std::uint64_t> : NumberCodec<std::uint64_t, OH_TYPE_U64> {};
template <>
struct Codec<std::int64_t> : NumberCodec<std::int64_t, OH_TYPE_I64> {};
// end of generated: codecs of numbers

template <>
struct Codec<bool> {
  static constexpr std::uint32_t number = OH_TYPE_BOOL;
  static constexpr bool plain = true;
  static const void* data(const bool& value) { return &value; }
  static std::size_t size(const bool&) { return 1; }
  static bool read(const void* data, std::size_t) { return *static_cast<const unsigned char*>(data) != 0; }
};

template <>
struct Codec<std::string_view> {
  static constexpr std::uint32_t number = OH_TYPE_STRING;
  static constexpr bool plain = false;
  static const void* data(const std::string_view& value) { return value.data(); }
  static std::size_t size(const std::string_view& value) { return value.size(); }
  static std::string_view read(const void* data, std::size_t size) {
    return {static_cast<const char*>(data), size};
  }
};

template <>
struct Codec<Bytes> {
  static constexpr std::uint32_t number = OH_TYPE_BYTES;
  static constexpr bool plain = false;
  static const void* data(const Bytes& value) { return value.data; }
  static std::size_t size(const Bytes& value) { return value.size; }
  static Bytes read(const void* data, std::size_t size) { return {data, size}; }
};

}  // namespace internal

}  // namespace offheap

#endif  // OFFHEAP_CODEC_HPP
