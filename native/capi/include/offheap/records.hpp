// offheap/records.hpp: Dictionary, RecordStoreBuilder, RecordStoreView and RecordStore. See
// offheap.hpp.
#ifndef OFFHEAP_RECORDS_HPP
#define OFFHEAP_RECORDS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../offheap.h"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

namespace internal {

// Texts one after another, and where each ends, as the C functions take them.
struct Packed {
  template <typename Texts>
  explicit Packed(const Texts& texts) {
    for (const std::string_view one : texts) {
      text.append(one);
      ends.push_back(static_cast<double>(text.size()));
    }
  }
  const std::uint8_t* bytes() const noexcept { return reinterpret_cast<const std::uint8_t*>(text.data()); }

  std::string text;
  std::vector<double> ends;
};

struct FreeDictionary {
  void operator()(oh_dictionary* one) const noexcept { oh_dictionary_free(one); }
};
struct FreeRecords {
  void operator()(oh_recordstore* one) const noexcept { oh_recordstore_free(one); }
};
struct FreeBuilder {
  void operator()(oh_recordstore_builder* one) const noexcept { oh_recordstore_builder_free(one); }
};

}  // namespace internal

// What many small records have in common: compresses them one by one. Any number of threads may use
// one.
//
//   const offheap::Dictionary dictionary = offheap::Dictionary::train(samples);
//   const std::string packed = dictionary.compress(record);
//   dictionary.decompress(packed);  // record
class Dictionary {
 public:
  // Trains on samples, a range of what a std::string_view is made of; 0 for `max_bytes` finds out
  // by itself how much helps.
  template <typename Texts>
  static Dictionary train(const Texts& samples, std::size_t max_bytes = 112 * 1024) {
    const internal::Packed packed(samples);
    oh_dictionary* made = nullptr;
    check(oh_dictionary_train(packed.bytes(), packed.text.size(), packed.ends.data(), packed.ends.size(),
                              max_bytes, nullptr, &made));
    return Dictionary(made);
  }

  // Out of its bytes, which are copied.
  Dictionary(const void* base, std::size_t length) : Dictionary(opened(base, length)) {}

  oh_dictionary_info info() const {
    oh_dictionary_info described = {};
    check(oh_dictionary_get_info(get(), &described));
    return described;
  }
  // What to write to a file, or hand to JavaScript; as long as the dictionary lives.
  std::string_view bytes() const {
    const oh_dictionary_info described = info();
    return {static_cast<const char*>(described.bytes), described.region_size};
  }
  void validate() const { check(oh_dictionary_validate(get())); }

  // At most one byte more than the text has.
  std::string compress(std::string_view text, std::uint32_t level = OH_LEVEL_DEFAULT) const {
    std::string out(text.size() + 1, '\0');
    std::size_t written = 0;
    check(oh_compress(get(), level, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                      reinterpret_cast<std::uint8_t*>(out.data()), out.size(), &written));
    out.resize(written);
    return out;
  }

  // Throws OH_ERR_FULL where it takes more than `max_bytes`, and needs memory for what it takes
  // only.
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

  // For the C functions.
  const oh_dictionary* get() const noexcept { return handle_.get(); }

 private:
  explicit Dictionary(oh_dictionary* handle) : handle_(handle) {}

  static oh_dictionary* opened(const void* base, std::size_t length) {
    oh_dictionary* made = nullptr;
    check(oh_dictionary_open(base, length, &made));
    return made;
  }

  std::unique_ptr<oh_dictionary, internal::FreeDictionary> handle_;
};

// A store of records in memory somewhere: see RecordStore. Any number of threads may read.
class RecordStoreView {
 public:
  // A view of nothing: empty, and what asks for an element throws.
  RecordStoreView() noexcept = default;
  // The store in `length` bytes at `base`, which must outlive the view.
  RecordStoreView(const void* base, std::size_t length) : base_(base) {
    oh_recordstore* made = nullptr;
    check(oh_recordstore_open(base, length, &made));
    handle_.reset(made);
    check(oh_recordstore_get_info(made, &info_));
  }
  RecordStoreView(RecordStoreView&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)),
        handle_(std::move(other.handle_)),
        info_(std::exchange(other.info_, {})) {}
  RecordStoreView& operator=(RecordStoreView&& other) noexcept {
    base_ = std::exchange(other.base_, nullptr);
    handle_ = std::move(other.handle_);
    info_ = std::exchange(other.info_, {});
    return *this;
  }

  std::uint64_t size() const noexcept { return info_.count; }
  bool empty() const noexcept { return info_.count == 0; }
  const oh_recordstore_info& info() const noexcept { return info_; }

  // Throws past the end.
  std::string at(std::uint64_t index) const {
    std::string out;
    read(index, out);
    return out;
  }

  // The same, into a string that is used again and again.
  void read(std::uint64_t index, std::string& out) const {
    // Room behind a record makes reading it faster; no record needs more than the longest.
    constexpr std::size_t kRoom = 32;
    for (std::size_t size = 1024;; size *= 8) {
      const bool all = size >= info_.longest + kRoom;
      out.resize(all ? static_cast<std::size_t>(info_.longest) + kRoom : size);
      std::size_t written = 0;
      const oh_status status = oh_recordstore_get(
          handle_.get(), index, reinterpret_cast<std::uint8_t*>(out.data()), out.size(), &written);
      if (status == OH_ERR_FULL && !all) continue;
      check(status);
      out.resize(written);
      return;
    }
  }

  void validate() const { check(oh_recordstore_validate(handle_.get())); }

  // The region: what to write to a file, or hand to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_size() const noexcept { return static_cast<std::size_t>(info_.region_size); }

 private:
  const void* base_ = nullptr;
  std::unique_ptr<oh_recordstore, internal::FreeRecords> handle_;
  oh_recordstore_info info_ = {};
};

// Compresses records one after another, and makes a RecordStore of them.
class RecordStoreBuilder {
 public:
  explicit RecordStoreBuilder(const Dictionary& dictionary, std::uint32_t level = OH_LEVEL_DEFAULT) {
    oh_recordstore_builder* made = nullptr;
    check(oh_recordstore_builder_new(dictionary.get(), level, &made));
    handle_.reset(made);
  }

  void push(std::string_view record) {
    const auto end = static_cast<double>(record.size());
    check(oh_recordstore_builder_push(handle_.get(), reinterpret_cast<const std::uint8_t*>(record.data()),
                                      record.size(), &end, 1));
  }

  // Bytes that the store takes with the records so far.
  std::size_t length() const {
    std::uint64_t length = 0;
    check(oh_recordstore_builder_region_size(handle_.get(), &length));
    return static_cast<std::size_t>(length);
  }

  // Writes it into memory of `length` bytes, at least length().
  void write(void* base, std::size_t length) const {
    check(oh_recordstore_builder_write(handle_.get(), base, length));
  }

 private:
  std::unique_ptr<oh_recordstore_builder, internal::FreeBuilder> handle_;
};

// Records, compressed one by one, that own their memory. They are read, not changed. Moves, does
// not copy; what was moved from is empty.
//
//   offheap::RecordStoreBuilder builder(dictionary);
//   for (const std::string& record : records) builder.push(record);
//   const offheap::RecordStore store(builder);
//   store.at(3);
class RecordStore : public internal::Owned<RecordStoreView> {
 public:
  explicit RecordStore(const RecordStoreBuilder& builder) : Owned(builder.length()) {
    builder.write(memory().data(), memory().length());
    show();
  }
};

}  // namespace offheap

#endif  // OFFHEAP_RECORDS_HPP
