// offheap/dictionary.hpp: Dictionary. See offheap.hpp.
#ifndef OFFHEAP_DICTIONARY_HPP
#define OFFHEAP_DICTIONARY_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

namespace internal {

// Concatenated texts and the end of each, in the form that the C functions require.
struct Texts {
  template <typename Range>
  explicit Texts(const Range& texts) {
    for (const std::string_view one : texts) {
      text.append(one);
      ends.push_back(static_cast<double>(text.size()));
    }
  }
  const std::uint8_t* bytes() const noexcept { return reinterpret_cast<const std::uint8_t*>(text.data()); }

  std::string text;
  std::vector<double> ends;
};

}  // namespace internal

// The content that many small records have in common. Compresses them one by one. Any number of
// threads may use a dictionary. It is moved, not copied. The calls of a moved-from dictionary throw
// OH_ERR_TYPE.
//
//   const offheap::Dictionary dictionary = offheap::Dictionary::train(samples);
//   const std::string packed = dictionary.compress(record);
//   dictionary.decompress(packed);  // record
class Dictionary {
 public:
  // Trains on samples, a range of values that convert to std::string_view. With 0 for `max_bytes`,
  // training chooses the size.
  template <typename Range>
  static Dictionary train(const Range& samples, std::size_t max_bytes = 112 * 1024) {
    const internal::Texts texts(samples);
    oh_control* const control = nullptr;
    return Dictionary(internal::make_handle<Handle>(oh_dictionary_train, texts.bytes(), texts.text.size(),
                                                    texts.ends.data(), texts.ends.size(), max_bytes,
                                                    control));
  }

  // The dictionary in `length` bytes at `base`, which are copied. Throws unless they are one.
  Dictionary(const void* base, std::size_t length)
      : handle_(internal::make_handle<Handle>(oh_dictionary_open, base, length)) {}

  oh_dictionary_info info() const {
    oh_dictionary_info described = {};
    check(oh_dictionary_get_info(get(), &described));
    return described;
  }
  // The region, to write to a file or to pass to JavaScript. Valid as long as the dictionary.
  std::string_view bytes() const {
    const oh_dictionary_info described = info();
    return {static_cast<const char*>(described.bytes), described.region_size};
  }
  // Checks all contents. Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_dictionary_validate(get())); }

  // The result has at most one byte more than the text. Throws OH_ERR_RANGE for an invalid level.
  std::string compress(std::string_view text, std::uint32_t level = OH_LEVEL_DEFAULT) const {
    std::string out(text.size() + 1, '\0');
    std::size_t written = 0;
    check(oh_compress(get(), level, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                      reinterpret_cast<std::uint8_t*>(out.data()), out.size(), &written));
    out.resize(written);
    return out;
  }

  // Throws OH_ERR_FULL if the text has more than `max_bytes` bytes, and OH_ERR_CORRUPT if `packed`
  // is not compressed text. Memory is allocated for the actual length, not for `max_bytes`.
  std::string decompress(std::string_view packed, std::size_t max_bytes = std::size_t{1} << 31) const {
    std::string out;
    for (std::size_t size = packed.size() * 4 + 256;; size *= 8) {
      out.resize(size < max_bytes ? size : max_bytes);
      std::size_t written = 0;
      const oh_status status =
          oh_decompress(get(), reinterpret_cast<const std::uint8_t*>(packed.data()), packed.size(),
                        reinterpret_cast<std::uint8_t*>(out.data()), out.size(), &written);
      if (status == OH_ERR_FULL && out.size() < max_bytes) continue;
      check(status);
      out.resize(written);
      return out;
    }
  }

  // The handle for C functions, which this dictionary owns.
  const oh_dictionary* get() const noexcept { return handle_.get(); }

 private:
  using Handle = internal::Handle<oh_dictionary, oh_dictionary_free>;

  explicit Dictionary(Handle handle) noexcept : handle_(std::move(handle)) {}

  Handle handle_;
};

}  // namespace offheap

#endif  // OFFHEAP_DICTIONARY_HPP
