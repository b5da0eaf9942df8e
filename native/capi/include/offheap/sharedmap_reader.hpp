// offheap/sharedmap_reader.hpp: SharedMapReader, which reads a map that others write. See
// sharedmap.hpp.
#ifndef OFFHEAP_SHAREDMAP_READER_HPP
#define OFFHEAP_SHAREDMAP_READER_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"
#include "sharedmap_memory.hpp"
#include "sharedmap_scan.hpp"
#include "sharedmap_types.hpp"

namespace offheap {

// One attachment of a map from K to V, which reads: see SharedMap, which also writes. An attachment
// is used by one thread at a time, also for const functions: each thread has its own, from attach()
// or from opening the file. Reads take no lock.
//
// K: std::uint32_t, std::int32_t, double, std::uint64_t, std::int64_t, std::string_view, Bytes.
// V: the number types, bool, std::string_view (UTF-8), Bytes, Json, Structured, Mixed.
//
// Values are copied out of the map, because others may change it at any time. Value is the type
// that owns a value: std::string for text and JSON, std::vector<unsigned char> for bytes,
// MixedValue for mixed values, V itself for numbers. For hot paths with text or bytes there are
// get(key, value), which reuses the memory of `value`, and visit(), which allocates nothing. An
// attachment keeps a buffer for the longest value that it read.
//
// It is moved, not copied. The calls of a moved-from or closed map throw OH_ERR_TYPE.
template <typename K, typename V>
class SharedMapReader {
 protected:
  using Keys = internal::Codec<K>;
  using Values = internal::SharedValue<V>;
  static_assert(!Keys::plain || sizeof(K) >= 4,
                "keys are 32-bit and 64-bit integers, double, std::string_view or Bytes");
  static_assert(!std::is_same_v<K, float> && !std::is_same_v<K, Json> && !std::is_same_v<K, Structured>,
                "keys are 32-bit and 64-bit integers, double, std::string_view or Bytes");

 public:
  using Value = typename Values::Owned;
  using Milliseconds = Expiry::Milliseconds;

  // A value and the properties of its entry.
  struct Entry {
    Value value;
    // Changes with each change of the entry, and differs after it was deleted and added again.
    std::uint64_t version;
    // Milliseconds since 1970; infinity if the entry does not expire.
    double expires_at;
    // Bytes of the entry in the map, without the index.
    std::uint64_t bytes;
  };

  // Opens the map in the file at `path`, and changes nothing in it, not even its statistics. Throws
  // OH_ERR_TYPE unless it is from K to V. See oh_sharedmap_open.
  static SharedMapReader open(std::string_view path) {
    oh_sharedmap_open_options options = {};
    options.struct_size = sizeof options;
    options.read_only = true;
    return SharedMapReader(
        internal::make_handle<Map>(oh_sharedmap_open, path.data(), path.size(), &options, nullptr));
  }

  // Another attachment of the same map, for another thread. Any thread may call it.
  SharedMapReader attach() const { return SharedMapReader(attached(), self_.memory); }
  // Closes the attachment; the map and its entries remain for others. May be called twice.
  void close() noexcept { self_ = internal::SharedAttachment(); }

  // The value of a key.
  std::optional<Value> get(const K& key) const {
    std::optional<Value> value(std::in_place);
    if (!get(key, *value)) value.reset();
    return value;
  }
  // Puts the value of a key in `value`, whose capacity is kept. Returns whether the key is present;
  // `value` is unchanged otherwise.
  bool get(const K& key, Value& value) const {
    return visit(key, [&](const V& found) { Values::own(found, value); });
  }
  // As get, with neither an effect on eviction nor on statistics.
  std::optional<Value> peek(const K& key) const {
    std::optional<Value> value;
    look_up(key, true, [&](const V& found, const auto&) { Values::own(found, value.emplace()); });
    return value;
  }
  // Calls use(value) with the value of a key, and returns whether it is present. Text and bytes
  // are valid during the call, which may use and change the map.
  template <typename Use>
  bool visit(const K& key, Use&& use) const {
    return look_up(key, false, [&](const V& value, const oh_sharedmap_entry&) { use(value); });
  }
  // The value and the properties of an entry, with neither an effect on eviction nor on statistics.
  std::optional<Entry> entry(const K& key) const {
    std::optional<Entry> entry;
    look_up(key, true, [&](const V& value, const oh_sharedmap_entry& info) {
      entry.emplace(Entry{Value(), info.version, info.expires_at > 0 ? info.expires_at : kNever, info.bytes});
      Values::own(value, entry->value);
    });
    return entry;
  }
  // Whether a key is present. Affects neither eviction nor statistics.
  bool contains(const K& key) const { return handle_of(key) != 0; }
  // Milliseconds until a key expires: infinity if it does not, nothing if it is absent.
  std::optional<Milliseconds> remaining_ttl(const K& key) const {
    oh_sharedmap_entry info = {};
    bool found = false;
    check(oh_sharedmap_get(handle(), Keys::data(key), Keys::size(key), true, nullptr, 0, &info, &found));
    if (!found) return std::nullopt;
    if (!(info.expires_at > 0)) return Milliseconds(kNever);
    const double left = info.expires_at - Expiry::now();
    return Milliseconds(left > 0 ? left : 0);
  }

  // A number below 2^53 that identifies an entry until it is deleted, evicted, or expires, for all
  // participants; 0 for a missing key. By a handle, neither is a key hashed nor compared.
  std::uint64_t handle_of(const K& key) const {
    std::uint64_t entry = 0;
    check(oh_sharedmap_handle_of(handle(), Keys::data(key), Keys::size(key), &entry));
    return entry;
  }
  // The value of the entry of a handle; nothing if the handle is stale.
  std::optional<Value> get_by_handle(std::uint64_t entry) const {
    std::optional<Value> value;
    fetch([&](const V& found, const auto&) { Values::own(found, value.emplace()); },
          [&](void* buffer, std::size_t capacity, oh_sharedmap_entry* info, bool* found) {
            return oh_sharedmap_get_by_handle(handle(), entry, buffer, capacity, info, found);
          });
    return value;
  }
  // The key of the entry of a handle, as a std::string, a vector, or a number.
  std::optional<typename internal::SharedValue<K>::Owned> key_by_handle(std::uint64_t entry) const {
    using Owner = internal::SharedValue<K>;
    std::optional<typename Owner::Owned> key;
    internal::Borrowed scratch(scratch_);
    for (std::size_t length = 0;;) {
      bool found = false;
      check(
          oh_sharedmap_key_by_handle(handle(), entry, scratch->data(), scratch->capacity(), &length, &found));
      if (!found) return key;
      if (length <= scratch->capacity()) {
        Owner::own(Keys::read(scratch->data(), length), key.emplace());
        return key;
      }
      scratch->reserve(length);
    }
  }

  // Looks up `count` keys and returns the number of keys found. If keys[i] is missing, values[i] is
  // unchanged. `values` and `found` may be null; found[i] is set to 1 or 0. Numbers and bool only.
  template <typename T = V>
  std::size_t get_many(const K* keys, std::size_t count, T* values, std::uint8_t* found = nullptr) const {
    static_assert(Keys::plain && Values::plain, "bulk calls require numbers or bool");
    std::size_t hits = 0;
    check(oh_sharedmap_get_many(handle(), keys, count, values, found, &hits));
    return hits;
  }

  // All entries, for one loop: see SharedMapEntries.
  SharedMapEntries<K, V> entries() const { return SharedMapEntries<K, V>(handle()); }

  // The number of entries. Those that have expired count until they are removed.
  std::size_t size() const {
    std::uint64_t count = 0;
    check(oh_sharedmap_count(handle(), &count));
    return static_cast<std::size_t>(count);
  }
  bool empty() const { return size() == 0; }
  oh_sharedmap_stats stats() const {
    oh_sharedmap_stats stats = {};
    check(oh_sharedmap_get_stats(handle(), &stats));
    return stats;
  }

  // The attachment for C functions, which this object owns.
  oh_sharedmap* handle() const noexcept { return self_.map.get(); }

 protected:
  using Map = internal::Handle<oh_sharedmap, oh_sharedmap_close>;

  // No attachment.
  SharedMapReader() noexcept = default;
  // Takes an attachment, if the map is from K to V, and a share of its memory.
  explicit SharedMapReader(Map map, std::shared_ptr<internal::SharedMemory> memory = nullptr) {
    self_.memory = std::move(memory);
    self_.map = std::move(map);
    std::uint32_t key = 0, value = 0;
    check(oh_sharedmap_types(handle(), &key, &value));
    check_types(key, value);
  }

  static void check_types(std::uint32_t key, std::uint32_t value) {
    if (key != Keys::number || value != Values::number) {
      throw Error(OH_ERR_TYPE, "the keys or values of the map have other types");
    }
  }

  Map attached() const { return internal::make_handle<Map>(oh_sharedmap_attach_thread, handle()); }

  // Passes the value that `call` reads to `use`. Returns whether it found one.
  template <typename Use, typename Call>
  bool fetch(Use&& use, Call&& call) const {
    oh_sharedmap_entry entry = {};
    bool found = false;
    if constexpr (Values::plain) {
      unsigned char bytes[8];
      check(call(bytes, sizeof bytes, &entry, &found));
      if (found) use(Values::read(0, bytes, sizeof bytes), entry);
    } else {
      internal::Borrowed scratch(scratch_);
      scratch->reserve(kFirst);
      // Each round has room for the value of the round before.
      for (;;) {
        check(call(scratch->data(), scratch->capacity(), &entry, &found));
        if (!found || entry.value_length <= scratch->capacity()) break;
        scratch->reserve(entry.value_length);
      }
      if (found) use(Values::read(entry.value_type, scratch->data(), entry.value_length), entry);
    }
    return found;
  }

  template <typename Use>
  bool look_up(const K& key, bool peek, Use&& use) const {
    return fetch(use, [&](void* buffer, std::size_t capacity, oh_sharedmap_entry* entry, bool* found) {
      return oh_sharedmap_get(handle(), Keys::data(key), Keys::size(key), peek, buffer, capacity, entry,
                              found);
    });
  }

  static constexpr double kNever = std::numeric_limits<double>::infinity();
  static constexpr std::size_t kFirst = 256;

  internal::SharedAttachment self_;
  mutable internal::Scratch scratch_;
};

}  // namespace offheap

#endif  // OFFHEAP_SHAREDMAP_READER_HPP
