// offheap/mappedfile.hpp: MappedFile and Cursor. See offheap.hpp.
#ifndef OFFHEAP_MAPPEDFILE_HPP
#define OFFHEAP_MAPPEDFILE_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// A position in bytes. Reads little-endian numbers, varints and text from there on. Every read is
// first checked against the end, also if its length comes from the bytes. A read past the end
// throws OH_ERR_RANGE, and an invalid varint or text throws OH_ERR_CORRUPT. Neither moves the
// position.
//
//   for (offheap::Cursor cursor = file.cursor(); cursor.remaining() > 0;) {
//     names.push_back(cursor.read_string());
//   }
class Cursor {
 public:
  // A cursor over no bytes.
  Cursor() noexcept = default;
  // A cursor over `size` bytes, which must outlive it.
  Cursor(const void* base, std::size_t size) noexcept : cursor_{base, size, 0} {}

  std::size_t position() const noexcept { return cursor_.position; }
  std::size_t remaining() const noexcept { return cursor_.size - cursor_.position; }

  void seek(std::size_t position) {
    if (position > cursor_.size)
      throw Error(OH_ERR_RANGE, "position " + std::to_string(position) + " is past the end");
    cursor_.position = position;
  }
  void skip(std::size_t count) { read_bytes(count); }

  // The next number. T: a number type of 1 to 8 bytes.
  template <typename T>
  T read() {
    static_assert(internal::Codec<T>::plain && internal::Codec<T>::number != OH_TYPE_BOOL,
                  "T must be a number type");
    if (sizeof(T) > remaining()) throw Error(OH_ERR_RANGE, "the number ends past the end");
    unsigned char bytes[sizeof(T)];
    std::memcpy(bytes, static_cast<const unsigned char*>(cursor_.base) + cursor_.position, sizeof(T));
    cursor_.position += sizeof(T);
    // Compiles to a single load on little-endian processors.
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

  // The next `count` bytes, without a copy.
  Bytes read_bytes(std::size_t count) {
    const void* bytes = nullptr;
    check(oh_cursor_take(&cursor_, count, &bytes));
    return {bytes, count};
  }

  // Text without a copy, checked to be UTF-8. Its length in bytes is an argument or a varint before
  // the text.
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

// The bytes of a file: read, mapped, or mapped in huge pages, as suits its size. Any number of
// threads may read the bytes; other calls are for one thread at a time. It is moved, not copied. A
// moved-from file is empty, and its calls throw OH_ERR_TYPE.
//
//   const offheap::MappedFile file("words.bin");
//   for (const unsigned char byte : file) sum += byte;
//   file.check();
//
// If another program truncates a mapped file, the lost bytes read as zeros, and check() throws from
// then on. Call it after work on many bytes, or open the file with OH_STRATEGY_COPY, which makes a
// private copy.
class MappedFile {
 public:
  // The default options: read-only, with a strategy that suits the size.
  static oh_mappedfile_options options() noexcept {
    oh_mappedfile_options options = {};
    options.struct_size = sizeof options;
    options.strategy = OH_STRATEGY_AUTO;
    return options;
  }

  // Throws OH_ERR_IO if the file cannot be opened.
  explicit MappedFile(std::string_view path, const oh_mappedfile_options& options = MappedFile::options())
      : file_(internal::make_handle<File>(oh_mappedfile_open, path.data(), path.size(), &options)) {}

  std::size_t size() const noexcept { return oh_mappedfile_size(file_.get()); }
  bool empty() const noexcept { return size() == 0; }
  // All bytes, valid until refresh() or the end of this object.
  const unsigned char* data() const noexcept {
    return static_cast<const unsigned char*>(oh_mappedfile_data(file_.get()));
  }
  const unsigned char* begin() const noexcept { return data(); }
  const unsigned char* end() const noexcept { return data() + size(); }
  // The same bytes for writing. They must not be written unless the file was opened with
  // `writable`.
  unsigned char* data() noexcept { return static_cast<unsigned char*>(oh_mappedfile_data(file_.get())); }

  // A part of the bytes, without a copy. Throws OH_ERR_RANGE past the end.
  Bytes slice(std::size_t offset, std::size_t length) const {
    const std::size_t all = size();
    if (offset > all || length > all - offset)
      throw Error(OH_ERR_RANGE, "the slice ends past the end of the file");
    return {data() + offset, length};
  }

  // The strategy in use, which may differ from the one requested.
  oh_strategy strategy() const {
    oh_strategy strategy = OH_STRATEGY_AUTO;
    check_status(oh_mappedfile_strategy(file_.get(), &strategy));
    return strategy;
  }

  // Throws OH_ERR_IO if the file is now shorter than its mapping, or if lost bytes were read. Call
  // it before and after work on many bytes.
  void check() const { check_status(oh_mappedfile_check(file_.get())); }

  // Copies bytes to `target`. Throws OH_ERR_IO if some of them are lost.
  void read(std::uint64_t offset, void* target, std::size_t length) const {
    check_status(oh_mappedfile_read(file_.get(), offset, length, target));
  }
  // Copies `length` bytes from each of `count` offsets, one after another, to `target`. This is
  // many times as fast as single reads. Offset is a number type.
  template <typename Offset>
  void read_many(const Offset* offsets, std::size_t count, std::size_t length, void* target) const {
    check_status(oh_mappedfile_read_many(file_.get(), offsets, internal::Codec<Offset>::number, count, length,
                                         target));
  }

  // Announces how the file will be read from now on.
  void advise(oh_pattern pattern) const { check_status(oh_mappedfile_advise(file_.get(), pattern)); }
  // Asks the system to start reading a part of the file.
  void prefetch(std::uint64_t offset, std::uint64_t length) const {
    check_status(oh_mappedfile_prefetch(file_.get(), offset, length));
  }
  // Locks the bytes in memory. Throws OH_ERR_FULL past the limit of the process.
  void lock() { check_status(oh_mappedfile_lock(file_.get())); }
  void unlock() { check_status(oh_mappedfile_unlock(file_.get())); }
  // The number of pages of the file that are in memory.
  std::uint64_t resident_pages() const {
    std::uint64_t pages = 0;
    check_status(oh_memory_resident(data(), size(), &pages));
    return pages;
  }

  // Returns after all stores are on the disk.
  void flush() { check_status(oh_mappedfile_flush(file_.get())); }
  // Adopts the new size or contents of a file that was extended or rewritten. Returns the size.
  // data() may change.
  std::size_t refresh() {
    std::uint64_t size = 0;
    check_status(oh_mappedfile_refresh(file_.get(), &size));
    return static_cast<std::size_t>(size);
  }

  // A cursor at the first byte, valid as long as the bytes.
  Cursor cursor() const noexcept { return Cursor(data(), size()); }

  // The handle for C functions, which this object owns.
  oh_mappedfile* handle() const noexcept { return file_.get(); }

 private:
  static void check_status(oh_status status) { offheap::check(status); }

  using File = internal::Handle<oh_mappedfile, oh_mappedfile_close>;

  File file_;
};

}  // namespace offheap

#endif  // OFFHEAP_MAPPEDFILE_HPP
