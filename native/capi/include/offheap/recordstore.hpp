// offheap/recordstore.hpp: RecordStore, RecordStoreView and RecordStoreBuilder. See offheap.hpp.
#ifndef OFFHEAP_RECORDSTORE_HPP
#define OFFHEAP_RECORDSTORE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../offheap.h"
#include "dictionary.hpp"
#include "error.hpp"
#include "memory.hpp"

namespace offheap {

// The records of a region that something else owns: see RecordStore. Any number of threads may read
// them. It is moved, not copied; empty after a move.
class RecordStoreView {
 public:
  // An empty view. Calls that ask for a record throw.
  RecordStoreView() noexcept = default;
  // The store in `length` bytes at `base`, which must outlive the view. Throws unless they are one.
  RecordStoreView(const void* base, std::size_t length)
      : base_(base), handle_(internal::make_handle<Handle>(oh_recordstore_open, base, length)) {
    check(oh_recordstore_get_info(handle_.get(), &info_.value));
  }

  std::uint64_t size() const noexcept { return info().count; }
  bool empty() const noexcept { return size() == 0; }
  const oh_recordstore_info& info() const noexcept { return info_.value; }

  // Decompresses a record. Throws OH_ERR_RANGE past the end.
  std::string at(std::uint64_t index) const {
    std::string out;
    read(index, out);
    return out;
  }

  // The same, into a string that many calls can reuse.
  void read(std::uint64_t index, std::string& out) const {
    // Room after a record makes reading it faster. No record needs more than the longest.
    constexpr std::size_t kRoom = 32;
    for (std::size_t size = 1024;; size *= 8) {
      const bool all = size >= info().longest + kRoom;
      out.resize(all ? static_cast<std::size_t>(info().longest) + kRoom : size);
      std::size_t written = 0;
      const oh_status status = oh_recordstore_get(
          handle_.get(), index, reinterpret_cast<std::uint8_t*>(out.data()), out.size(), &written);
      if (status == OH_ERR_FULL && !all) continue;
      check(status);
      out.resize(written);
      return;
    }
  }

  // Checks all contents and decompresses every record. Throws OH_ERR_CORRUPT.
  void validate() const { check(oh_recordstore_validate(handle_.get())); }

  // The region, to write to a file or to pass to JavaScript.
  const void* base() const noexcept { return base_.value; }
  std::size_t region_size() const noexcept { return static_cast<std::size_t>(info().region_size); }

 private:
  using Handle = internal::Handle<oh_recordstore, oh_recordstore_free>;

  internal::ResetOnMove<const void*> base_;
  Handle handle_;
  internal::ResetOnMove<oh_recordstore_info> info_;
};

// Compresses records one after another for a RecordStore. One thread at a time. It is moved, not
// copied. The calls of a moved-from builder throw OH_ERR_TYPE.
class RecordStoreBuilder {
 public:
  explicit RecordStoreBuilder(const Dictionary& dictionary, std::uint32_t level = OH_LEVEL_DEFAULT)
      : handle_(internal::make_handle<Handle>(oh_recordstore_builder_new, dictionary.get(), level)) {}

  void push(std::string_view record) {
    const auto end = static_cast<double>(record.size());
    check(oh_recordstore_builder_push(handle_.get(), reinterpret_cast<const std::uint8_t*>(record.data()),
                                      record.size(), &end, 1));
  }

  // The size in bytes of a store of the records pushed so far.
  std::size_t length() const {
    std::uint64_t length = 0;
    check(oh_recordstore_builder_region_size(handle_.get(), &length));
    return static_cast<std::size_t>(length);
  }

  // Writes the store to memory of `length` bytes, at least length().
  void write(void* base, std::size_t length) const {
    check(oh_recordstore_builder_write(handle_.get(), base, length));
  }

 private:
  using Handle = internal::Handle<oh_recordstore_builder, oh_recordstore_builder_free>;

  Handle handle_;
};

// Immutable records, compressed one by one, that own their memory. Moved, not copied; empty after a
// move.
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

#endif  // OFFHEAP_RECORDSTORE_HPP
