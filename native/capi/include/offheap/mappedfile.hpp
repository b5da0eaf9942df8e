// offheap/mappedfile.hpp: MappedFile and Cursor. See offheap.hpp.
#ifndef OFFHEAP_MAPPEDFILE_HPP
#define OFFHEAP_MAPPEDFILE_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"

namespace offheap {

// A position in bytes: reads little-endian numbers, varints and text from there on. Every read is
// checked against the end first, whatever a length in the bytes says: past the end it throws
// OH_ERR_RANGE, for a varint or text that is none OH_ERR_CORRUPT, and the position stays.
//
//   for (offheap::Cursor cursor = file.cursor(); cursor.remaining() > 0;)
//   names.push_back(cursor.read_string());
class Cursor {
 public:
  // Over nothing.
  Cursor() noexcept = default;
  // Over `size` bytes, which must outlive the cursor.
  Cursor(const void* base, std::size_t size) noexcept : cursor_{base, size, 0} {}

  std::size_t position() const noexcept { return cursor_.position; }
  std::size_t remaining() const noexcept { return cursor_.size - cursor_.position; }

  void seek(std::size_t position) {
    if (position > cursor_.size) throw Error(OH_ERR_RANGE, "a position past the end");
    cursor_.position = position;
  }
  void skip(std::size_t count) { read_bytes(count); }

  // The next number; T: a number type of 1 to 8 bytes.
  template <typename T>
  T read() {
    static_assert(internal::Codec<T>::plain && internal::Codec<T>::number != OH_TYPE_BOOL, "T is no number");
    if (sizeof(T) > remaining()) throw Error(OH_ERR_RANGE, "a number past the end");
    unsigned char bytes[sizeof(T)];
    std::memcpy(bytes, static_cast<const unsigned char*>(cursor_.base) + cursor_.position, sizeof(T));
    cursor_.position += sizeof(T);
    // Compilers make one load of this, where numbers are little-endian anyway.
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(T); i++) bits |= std::uint64_t{bytes[i]} << (8 * i);
    return from_bits<T>(bits);
  }

  // An unsigned LEB128 varint of up to 64 bits.
  std::uint64_t read_varint() {
    std::uint64_t value = 0;
    check(oh_cursor_varint(&cursor_, &value));
    return value;
  }

  // The next `count` bytes, where they lie.
  Bytes read_bytes(std::size_t count) {
    const void* bytes = nullptr;
    check(oh_cursor_take(&cursor_, count, &bytes));
    return {bytes, count};
  }

  // Text, where it lies, checked to be UTF-8: of so many bytes, or of as many as a varint before it
  // says.
  std::string_view read_string() {
    oh_text text = {};
    check(oh_cursor_text(&cursor_, &text));
    return {text.data, text.length};
  }
  std::string_view read_string(std::size_t length) {
    oh_text text = {};
    check(oh_cursor_text_of(&cursor_, length, &text));
    return {text.data, text.length};
  }

 private:
  template <std::size_t kBytes>
  struct Unsigned;
  template <typename T>
  static T from_bits(std::uint64_t bits) {
    const typename Unsigned<sizeof(T)>::Type exact = static_cast<typename Unsigned<sizeof(T)>::Type>(bits);
    T value;
    std::memcpy(&value, &exact, sizeof value);
    return value;
  }

  oh_cursor cursor_ = {};
};

template <>
struct Cursor::Unsigned<1> {
  using Type = std::uint8_t;
};
template <>
struct Cursor::Unsigned<2> {
  using Type = std::uint16_t;
};
template <>
struct Cursor::Unsigned<4> {
  using Type = std::uint32_t;
};
template <>
struct Cursor::Unsigned<8> {
  using Type = std::uint64_t;
};

// The bytes of a file, in the way that suits its size: read, mapped, or mapped in huge pages.
// Moves, does not copy; what was moved from is empty, and its calls throw.
//
//   const offheap::MappedFile file("words.bin");
//   for (const unsigned char byte : file) sum += byte;
//   file.check();
//
// If someone else cuts a mapped file short, what is gone reads as zeros, and check() throws from
// then on: call it after work on many bytes, or open with OH_STRATEGY_COPY, which nothing can
// touch.
class MappedFile {
 public:
  // What a file is opened with, to be changed: to be read, in the way that suits its size.
  static oh_mappedfile_options options() noexcept {
    oh_mappedfile_options options = {};
    options.struct_size = sizeof options;
    options.strategy = OH_STRATEGY_AUTO;
    return options;
  }

  explicit MappedFile(std::string_view path, const oh_mappedfile_options& options = MappedFile::options()) {
    check_status(oh_mappedfile_open(path.data(), path.size(), &options, &file_));
  }
  MappedFile(MappedFile&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    MappedFile taken(std::move(other));
    std::swap(file_, taken.file_);
    return *this;
  }
  ~MappedFile() { oh_mappedfile_close(file_); }

  std::size_t size() const noexcept { return oh_mappedfile_size(file_); }
  bool empty() const noexcept { return size() == 0; }
  // All bytes: good until refresh(), or as long as the file.
  const unsigned char* data() const noexcept {
    return static_cast<const unsigned char*>(oh_mappedfile_data(file_));
  }
  const unsigned char* begin() const noexcept { return data(); }
  const unsigned char* end() const noexcept { return data() + size(); }
  // The same to be written, of a file that was opened with `writable`; else it must not be.
  unsigned char* data() noexcept { return static_cast<unsigned char*>(oh_mappedfile_data(file_)); }

  // A part of the bytes, without a copy. Throws past the end.
  Bytes slice(std::size_t offset, std::size_t length) const {
    const std::size_t all = size();
    if (offset > all || length > all - offset) throw Error(OH_ERR_RANGE, "bytes past the end of the file");
    return {data() + offset, length};
  }

  // How the bytes are reached: what was obtained, not what was asked for.
  oh_strategy strategy() const {
    oh_strategy strategy = OH_STRATEGY_AUTO;
    check_status(oh_mappedfile_strategy(file_, &strategy));
    return strategy;
  }

  // Throws OH_ERR_IO if the file is shorter now than what is mapped of it, or bytes that were read
  // were lost: for before and after work on many bytes.
  void check() const { check_status(oh_mappedfile_check(file_)); }

  // Copies bytes out. Throws OH_ERR_IO if some of them are gone.
  void read(std::uint64_t offset, void* target, std::size_t length) const {
    check_status(oh_mappedfile_read(file_, offset, length, target));
  }
  // Copies `length` bytes from each of `count` offsets, one after another, to `target`: many times
  // as fast as one by one. Offset is a number type.
  template <typename Offset>
  void read_many(const Offset* offsets, std::size_t count, std::size_t length, void* target) const {
    check_status(
        oh_mappedfile_read_many(file_, offsets, internal::Codec<Offset>::number, count, length, target));
  }

  // Says how the file will be read from now on.
  void advise(oh_pattern pattern) const { check_status(oh_mappedfile_advise(file_, pattern)); }
  // Has the system begin to read a part of it.
  void prefetch(std::uint64_t offset, std::uint64_t length) const {
    check_status(oh_mappedfile_prefetch(file_, offset, length));
  }
  // Keeps the bytes in memory. Throws OH_ERR_FULL past the limit of the process.
  void lock() { check_status(oh_mappedfile_lock(file_)); }
  void unlock() { check_status(oh_mappedfile_unlock(file_)); }
  // How many of the pages that the bytes lie on are in memory.
  std::uint64_t resident_pages() const {
    std::uint64_t pages = 0;
    check_status(oh_memory_resident(data(), size(), &pages));
    return pages;
  }

  // Returns when what was stored is on the disk.
  void flush() { check_status(oh_mappedfile_flush(file_)); }
  // Takes in that the file became longer, or was written anew. Returns the size; data() may be
  // elsewhere.
  std::size_t refresh() {
    std::uint64_t size = 0;
    check_status(oh_mappedfile_refresh(file_, &size));
    return static_cast<std::size_t>(size);
  }

  // At the first byte, good as long as the bytes.
  Cursor cursor() const noexcept { return Cursor(data(), size()); }

  // The file in C. It stays owned by this one.
  oh_mappedfile* handle() const noexcept { return file_; }

 private:
  static void check_status(oh_status status) { offheap::check(status); }

  oh_mappedfile* file_ = nullptr;
};

}  // namespace offheap

#endif  // OFFHEAP_MAPPEDFILE_HPP
