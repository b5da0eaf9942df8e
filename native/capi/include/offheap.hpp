// offheap.hpp: a thin C++17 face of offheap.h.
//
// Adds to the C ABI what C lacks, and nothing else: statuses become exceptions, outputs become
// return values, and what must be freed frees itself. It is header-only; link the C library.
//
//   #include <offheap.hpp>
//   offheap::HashMap<std::string_view, double> prices;
//   prices.set("apple", 0.5);
//   if (auto price = prices.get("apple")) std::printf("%g\n", *price);
#ifndef OFFHEAP_HPP
#define OFFHEAP_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "offheap.h"

namespace offheap {

// A call that did not succeed. what() is the library's sentence about it; status() says what kind of
// failure it was, and the names are those of every other layer.
class Error : public std::runtime_error {
 public:
  Error(oh_status status, const std::string& message) : std::runtime_error(message), status_(status) {}

  oh_status status() const noexcept { return status_; }
  // "OH_ERR_CORRUPT", say. Never null.
  const char* name() const noexcept { return oh_status_name(status_); }

 private:
  oh_status status_;
};

// The message of this thread's last failed call.
inline std::string last_error() {
  std::string message(oh_last_error(nullptr, 0), '\0');
  oh_last_error(message.data(), message.size() + 1);
  return message;
}

// Throws Error unless the status is OH_OK: check(oh_thing_do(...)).
inline void check(oh_status status) {
  if (status != OH_OK) throw Error(status, last_error());
}

inline const char* version() noexcept { return oh_version(); }

// ---- HashMap ---------------------------------------------------------------------------------------

// Bytes that are not text, as keys and values.
struct Bytes {
  const void* data = nullptr;
  std::size_t size = 0;
};

namespace internal {

// How a C++ type is passed and read: its number in the format, its address and length.
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

// Memory for a region, 64-byte aligned.
class Memory {
 public:
  explicit Memory(std::size_t length)
      : data_(::operator new(length, std::align_val_t{64})), length_(length) {}
  Memory(Memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), length_(std::exchange(other.length_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(length_, other.length_);
    return *this;
  }
  ~Memory() {
    if (data_ != nullptr) ::operator delete(data_, std::align_val_t{64});
  }
  void* data() const noexcept { return data_; }
  std::size_t length() const noexcept { return length_; }

 private:
  void* data_;
  std::size_t length_;
};

}  // namespace internal

// What every map can do that is in memory somewhere: see HashMapView and HashMap.
//
// K: std::uint32_t, std::int32_t, double, std::uint64_t, std::int64_t, std::string_view, Bytes.
// V: those, the other numbers, bool. Text is UTF-8.
//
// Views that are returned (std::string_view, Bytes) point into the map: they are good until it is rebuilt
// (which `set` may do) or cleared. Do not pass one to `set` of the map that it came from.
template <typename K, typename V>
class HashMapView {
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;

 public:
  using Entry = std::pair<K, V>;

  // The map in `length` bytes at `base`, which must outlive the view. Throws unless it is one from K to V.
  HashMapView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    std::uint32_t key_type = 0, value_type = 0;
    check(oh_hashmap_types(base, length, &key_type, &value_type));
    if (key_type != Keys::number || value_type != Values::number) {
      throw Error(OH_ERR_TYPE, "the map's keys or values are of other types");
    }
  }

  std::uint32_t size() const {
    std::uint32_t size = 0;
    check(oh_hashmap_len(base_, length_, &size));
    return size;
  }
  bool empty() const { return size() == 0; }

  std::optional<V> get(const K& key) const {
    const void* value = nullptr;
    std::size_t value_length = 0;
    check(oh_hashmap_get(base_, length_, Keys::data(key), Keys::size(key), &value, &value_length));
    if (value == nullptr) return std::nullopt;
    return Values::read(value, value_length);
  }

  bool contains(const K& key) const {
    bool there = false;
    check(oh_hashmap_has(base_, length_, Keys::data(key), Keys::size(key), &there));
    return there;
  }

  // The entry that a handle names, while it lives.
  std::optional<Entry> get_by_handle(std::uint64_t handle) const {
    oh_hashmap_entry entry;
    const oh_status status = oh_hashmap_get_by_handle(base_, length_, handle, &entry);
    if (status == OH_ERR_STALE) return std::nullopt;
    check(status);
    return read(entry);
  }

  // Looks `count` keys up at once. values[i] is left as it was where keys[i] is missing; found[i], if found
  // is not null, tells. Returns how many were found. Numbers and bool only.
  std::size_t get_many(const K* keys, std::size_t count, V* values, std::uint8_t* found = nullptr) const {
    static_assert(Keys::plain && Values::plain, "bulk calls take numbers");
    std::size_t hits = 0;
    check(oh_hashmap_get_many(base_, length_, kSchema, keys, count, values, found, &hits));
    return hits;
  }

  // Entries in insertion order: for (auto [key, value] : map) …
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = Entry;

    Entry operator*() const { return read(entry_); }
    Iterator& operator++() {
      check(oh_hashmap_next(map_->base_, map_->length_, &cursor_, &entry_));
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return cursor_ == other.cursor_; }
    bool operator!=(const Iterator& other) const { return !(*this == other); }

   private:
    friend class HashMapView;
    explicit Iterator(const HashMapView* map) : map_(map) {}
    const HashMapView* map_;
    std::uint32_t cursor_ = 0;
    oh_hashmap_entry entry_ = {};
  };

  Iterator begin() const {
    Iterator iterator(this);
    return ++iterator;
  }
  Iterator end() const { return Iterator(this); }

  oh_hashmap_info info() const {
    oh_hashmap_info info;
    check(oh_hashmap_describe(base_, length_, &info));
    return info;
  }

  // Proves that all contents are sound; throws if not.
  void validate() const { check(oh_hashmap_validate(base_, length_)); }

  const void* base() const noexcept { return base_; }
  // Bytes of the region: what to save. The memory may be longer.
  std::size_t region_length() const { return static_cast<std::size_t>(info().region_length); }

 protected:
  // What arrays of K and V are right for.
  static constexpr std::uint32_t kSchema = Keys::number | Values::number << 8;

  // For a map whose constructor looks at its memory by itself.
  HashMapView() = default;

  static Entry read(const oh_hashmap_entry& entry) {
    return {Keys::read(entry.key, entry.key_length), Values::read(entry.value, entry.value_length)};
  }

  void* base_ = nullptr;
  std::size_t length_ = 0;
};

// A map that owns its memory, and grows by itself. Moves, does not copy: copy the bytes if you must.
template <typename K, typename V>
class HashMap : public HashMapView<K, V> {
  using View = HashMapView<K, V>;
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;
  using View::base_;
  using View::length_;

 public:
  explicit HashMap(std::uint32_t capacity = 12) : HashMap(options(capacity)) {}

  HashMap(HashMap&& other) noexcept : View(other), memory_(std::move(other.memory_)) {}
  HashMap& operator=(HashMap&& other) noexcept {
    std::swap(static_cast<View&>(*this), static_cast<View&>(other));
    std::swap(memory_, other.memory_);
    return *this;
  }

  // A copy of the map in these bytes.
  static HashMap copy_of(const void* base, std::size_t length) {
    const View view(base, length);
    HashMap map(internal::Memory(view.region_length()));
    std::memcpy(map.base_, base, map.length_);
    return map;
  }

  // Inserts a key or gives it a new value. Returns whether the key was new.
  bool set(const K& key, const V& value) {
    bool inserted = false;
    const auto attempt = [&] {
      return oh_hashmap_set(base_, length_, Keys::data(key), Keys::size(key), Values::data(value),
                            Values::size(value), &inserted);
    };
    oh_status status = attempt();
    // Twice, because a compaction may not make room enough where growth does.
    for (int i = 0; i < 2 && status == OH_ERR_FULL; i++) {
      grow(Keys::size(key) + Values::size(value) + 16);
      status = attempt();
    }
    check(status);
    return inserted;
  }

  // Returns whether the key was there.
  bool remove(const K& key) {
    bool removed = false;
    check(oh_hashmap_remove(base_, length_, Keys::data(key), Keys::size(key), &removed));
    return removed;
  }

  // A number that names a key's entry for as long as it lives; 0 if the key is not there.
  std::uint64_t handle_of(const K& key) {
    std::uint64_t handle = 0;
    check(oh_hashmap_handle_of(base_, length_, Keys::data(key), Keys::size(key), &handle));
    return handle;
  }

  // Sets keys[i] to values[i]. Numbers and bool only.
  void set_many(const K* keys, const V* values, std::size_t count) {
    static_assert(Keys::plain && Values::plain, "bulk calls take numbers");
    std::size_t done = 0;
    for (;;) {
      check(oh_hashmap_set_many(base_, length_, View::kSchema, keys, values, count, done, &done));
      if (done == count) return;
      grow(0);
    }
  }

  // Returns how many of the keys were there.
  std::size_t remove_many(const K* keys, std::size_t count) {
    static_assert(Keys::plain, "bulk calls take numbers");
    std::size_t removed = 0;
    check(oh_hashmap_remove_many(base_, length_, View::kSchema, keys, count, &removed));
    return removed;
  }

  void clear() { check(oh_hashmap_clear(base_, length_)); }

  // Makes room for so many entries in all.
  void reserve(std::uint32_t capacity) {
    const oh_hashmap_info info = this->info();
    if (capacity > info.capacity) rebuild(capacity, info.heap_capacity);
  }

  // Gives up what a smaller map would not need.
  void shrink_to_fit() { rebuild(std::max(this->size(), 1u), 0); }

 private:
  static oh_hashmap_options options(std::uint32_t capacity) {
    oh_hashmap_options options = {};
    options.struct_size = sizeof options;
    options.key_type = Keys::number;
    options.value_type = Values::number;
    options.capacity = capacity;
    const int blobs = (Keys::plain ? 0 : 1) + (Values::plain ? 0 : 1);
    options.heap_capacity = std::uint64_t{16} * capacity * static_cast<unsigned>(blobs);
    return options;
  }

  static std::size_t length_of(const oh_hashmap_options& options) {
    std::size_t length = 0;
    check(oh_hashmap_length(&options, &length));
    return length;
  }

  explicit HashMap(internal::Memory memory) : memory_(std::move(memory)) {
    base_ = memory_.data();
    length_ = memory_.length();
  }

  explicit HashMap(const oh_hashmap_options& options) : HashMap(internal::Memory(length_of(options))) {
    check(oh_hashmap_init(base_, length_, &options));
  }

  void grow(std::size_t blob_bytes) {
    const oh_hashmap_info info = this->info();
    std::uint32_t capacity = info.capacity;
    const std::uint64_t living = info.heap_used - info.heap_garbage + blob_bytes;
    const bool blobs = !Keys::plain || !Values::plain;
    // A heap that is full needs no more entries.
    if (!blobs || info.used == info.capacity || info.heap_used + blob_bytes <= info.heap_capacity) {
      check(oh_hashmap_next_capacity(base_, length_, &capacity));
    }
    rebuild(capacity, blobs ? std::max(info.heap_capacity, living + living / 2) : 0);
  }

  void rebuild(std::uint32_t capacity, std::uint64_t heap) {
    std::size_t needed = 0;
    check(oh_hashmap_rebuild_length(base_, length_, capacity, heap, &needed));
    if (needed > length_) {
      internal::Memory larger(needed);
      std::memcpy(larger.data(), base_, length_);
      memory_ = std::move(larger);
      base_ = memory_.data();
      length_ = needed;
    }
    check(oh_hashmap_rebuild(base_, length_, capacity, heap));
  }

  internal::Memory memory_;
};

// ---- BumpArena -------------------------------------------------------------------------------------

// Blocks one behind the other, given back all at once or a scope at a time. Owns its memory, and grows by
// chunks; growth may move the bytes, so keep offsets and not pointers across alloc. Moves, does not copy.
//
//   offheap::BumpArena arena;
//   {
//     auto scope = arena.scope();
//     auto at = arena.alloc(100);
//     std::memset(arena.at(at, 100), 0, 100);
//   }  // what was allocated since is gone
class BumpArena {
 public:
  explicit BumpArena(std::size_t chunk = 65536, bool zero_on_free = false, bool guards = false)
      : chunk_((std::max<std::size_t>(chunk, 64) + 63) & ~std::size_t{63}), memory_(chunk_ + 256) {
    oh_bumparena_options options = {};
    options.struct_size = sizeof options;
    options.zero_on_free = zero_on_free;
    options.guards = guards;
    check(oh_bumparena_init(memory_.data(), memory_.length(), &options));
  }

  // Where a block of so many bytes begins: an offset, a multiple of `align` (at most 64).
  std::uint64_t alloc(std::uint64_t bytes, std::uint32_t align = 8) {
    std::uint64_t offset = 0;
    oh_status status = oh_bumparena_alloc(memory_.data(), memory_.length(), bytes, align, &offset);
    if (status == OH_ERR_FULL) {
      grow(bytes);
      status = oh_bumparena_alloc(memory_.data(), memory_.length(), bytes, align, &offset);
    }
    check(status);
    return offset;
  }

  // The bytes at an offset, good until the next alloc. Throws if they do not lie within what is allocated.
  void* at(std::uint64_t offset, std::size_t bytes) const {
    const oh_bumparena_info info = this->info();
    if (offset > info.used || bytes > info.used - offset) throw Error(OH_ERR_STALE, "not allocated");
    return static_cast<char*>(memory_.data()) + info.data + offset;
  }

  // Gives the block back if it was allocated last; otherwise it stays until it is released.
  void free(std::uint64_t offset) { check(oh_bumparena_free(memory_.data(), memory_.length(), offset)); }
  void reset() { check(oh_bumparena_reset(memory_.data(), memory_.length())); }
  void validate() const { check(oh_bumparena_validate(memory_.data(), memory_.length())); }

  oh_bumparena_info info() const {
    oh_bumparena_info info = {};
    check(oh_bumparena_describe(memory_.data(), memory_.length(), &info));
    return info;
  }

  // Gives back, at its end, what was allocated since its begin. Scopes nest; a scope must not outlive its
  // arena. A broken guard is not reported by the destructor: call end() for that.
  class Scope {
   public:
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      if (arena_ != nullptr) oh_bumparena_release(arena_->memory_.data(), arena_->memory_.length(), &mark_);
    }
    void end() {
      BumpArena& arena = *std::exchange(arena_, nullptr);
      check(oh_bumparena_release(arena.memory_.data(), arena.memory_.length(), &mark_));
    }

   private:
    friend class BumpArena;
    explicit Scope(BumpArena& arena) : arena_(&arena) {
      check(oh_bumparena_begin(arena.memory_.data(), arena.memory_.length(), &mark_));
    }
    BumpArena* arena_;
    oh_bumparena_mark mark_ = {};
  };
  [[nodiscard]] Scope scope() { return Scope(*this); }

  const void* base() const noexcept { return memory_.data(); }
  std::size_t length() const noexcept { return memory_.length(); }

 private:
  void grow(std::uint64_t bytes) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 34;
    if (bytes > kMost) throw Error(OH_ERR_FULL, "an arena holds 16 GiB at most");
    // The block, its alignment and guard; and half as much as there is, so that n bytes cost O(n).
    const std::size_t more =
        std::max(static_cast<std::size_t>(bytes) + 128, memory_.length() / 2) / chunk_ + 1;
    internal::Memory larger(memory_.length() + more * chunk_);
    std::memcpy(larger.data(), memory_.data(), memory_.length());
    check(oh_bumparena_extend(larger.data(), larger.length()));
    memory_ = std::move(larger);
  }

  std::size_t chunk_;
  internal::Memory memory_;
};

// ---- SmallMap --------------------------------------------------------------------------------------

// A map of a few entries that stands alone: up to 8 lie in it and are searched with vector instructions, more
// promote it to a hash table. Insertion order. Moves, does not copy.
//
// K: the numbers, std::string_view (UTF-8) or Bytes. V: the numbers or bool.
// Views that are returned point into the map: they are good until it is changed.
template <typename K, typename V>
class SmallMap {
  using Keys = internal::Codec<K>;
  using Values = internal::Codec<V>;

 public:
  using Entry = std::pair<K, V>;

  SmallMap() { check(oh_smallmap_new(Keys::number, Values::number, &map_)); }
  SmallMap(SmallMap&& other) noexcept : map_(std::exchange(other.map_, nullptr)) {}
  SmallMap& operator=(SmallMap&& other) noexcept {
    std::swap(map_, other.map_);
    return *this;
  }
  ~SmallMap() { oh_smallmap_free(map_); }

  std::size_t size() const {
    std::size_t size = 0;
    check(oh_smallmap_len(map_, &size));
    return size;
  }
  bool empty() const { return size() == 0; }

  // Whether the entries are in a hash table: since there were more than 8, until clear().
  bool promoted() const {
    bool promoted = false;
    check(oh_smallmap_promoted(map_, &promoted));
    return promoted;
  }

  std::optional<V> get(const K& key) const {
    const void* value = nullptr;
    std::size_t value_length = 0;
    check(oh_smallmap_get(map_, Keys::data(key), Keys::size(key), &value, &value_length));
    if (value == nullptr) return std::nullopt;
    return Values::read(value, value_length);
  }

  bool contains(const K& key) const { return get(key).has_value(); }

  // Inserts a key or gives it a new value. Returns whether the key was new.
  bool set(const K& key, const V& value) {
    bool inserted = false;
    check(oh_smallmap_set(map_, Keys::data(key), Keys::size(key), Values::data(value), Values::size(value),
                          &inserted));
    return inserted;
  }

  // Returns whether the key was there.
  bool remove(const K& key) {
    bool removed = false;
    check(oh_smallmap_remove(map_, Keys::data(key), Keys::size(key), &removed));
    return removed;
  }

  void clear() { check(oh_smallmap_clear(map_)); }

  // Makes room for so many entries in all. More than 8 promote the map.
  void reserve(std::size_t entries) { check(oh_smallmap_reserve(map_, entries)); }

  // Entries in insertion order: for (auto [key, value] : map) …
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = Entry;

    Entry operator*() const {
      return {Keys::read(entry_.key, entry_.key_length), Values::read(entry_.value, entry_.value_length)};
    }
    Iterator& operator++() {
      check(oh_smallmap_next(map_, &cursor_, &entry_));
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return cursor_ == other.cursor_; }
    bool operator!=(const Iterator& other) const { return !(*this == other); }

   private:
    friend class SmallMap;
    explicit Iterator(const oh_smallmap* map) : map_(map) {}
    const oh_smallmap* map_;
    std::size_t cursor_ = 0;
    oh_smallmap_entry entry_ = {};
  };

  Iterator begin() const {
    Iterator iterator(map_);
    return ++iterator;
  }
  Iterator end() const { return Iterator(map_); }

  // The map in C. It stays owned by this one.
  oh_smallmap* handle() const noexcept { return map_; }

 private:
  oh_smallmap* map_ = nullptr;
};

// ---- BitVector ---------------------------------------------------------------------------------------

// Bits in memory somewhere: see BitVector. Through a view of bytes that are writable, single bits can be
// changed.
class BitVectorView {
 public:
  // The bits in `length` bytes at `base`, which must outlive the view.
  BitVectorView(const void* base, std::size_t length) : base_(const_cast<void*>(base)), length_(length) {
    check(oh_bitvector_check(base, length));
  }

  std::uint64_t size() const { return info().len; }
  bool empty() const { return size() == 0; }
  std::uint64_t capacity() const { return info().capacity; }

  // Throws past the end.
  bool get(std::uint64_t index) const {
    bool bit = false;
    check(oh_bitvector_get(base_, length_, index, &bit));
    return bit;
  }
  bool operator[](std::uint64_t index) const { return get(index); }

  std::uint64_t count() const { return count(0, size()); }
  std::uint64_t count(std::uint64_t from, std::uint64_t to) const {
    std::uint64_t count = 0;
    check(oh_bitvector_count(base_, length_, from, to, &count));
    return count;
  }

  // The position of the first one, or zero, at `from` or after it; `none` if there is none.
  static constexpr std::uint64_t none = OH_BITVECTOR_NONE;
  std::uint64_t next(std::uint64_t from, bool bit = true) const {
    std::uint64_t position = none;
    check(oh_bitvector_next(base_, length_, from, bit, &position));
    return position;
  }

  // Writes positions of ones from `from` on, at most `room`, and returns how many. T is a number type.
  template <typename T>
  std::size_t ones(std::uint64_t from, T* out, std::size_t room) const {
    std::size_t written = 0;
    check(oh_bitvector_ones(base_, length_, from, out, internal::Codec<T>::number, room, &written));
    return written;
  }

  void validate() const { check(oh_bitvector_validate(base_, length_)); }

  // The region: what to write to a file, or hand to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_length() const { return info().region_length; }

 protected:
  BitVectorView() = default;
  oh_bitvector_info info() const {
    oh_bitvector_info info = {};
    check(oh_bitvector_describe(base_, length_, &info));
    return info;
  }

  void* base_ = nullptr;
  std::size_t length_ = 0;
};

// Bits that own their memory and grow by themselves. Moves, does not copy: copy the bytes if you must.
//
//   offheap::BitVector primes(20);
//   for (int prime : {2, 3, 5, 7, 11, 13, 17, 19}) primes.set(prime);
class BitVector : public BitVectorView {
 public:
  // So many zeros.
  explicit BitVector(std::uint64_t bits = 0) : memory_(length_of(bits)) {
    adopt();
    check(oh_bitvector_init(base_, length_, bits));
  }
  BitVector(BitVector&& other) noexcept : BitVectorView(other), memory_(std::move(other.memory_)) {}
  BitVector& operator=(BitVector&& other) noexcept {
    std::swap(static_cast<BitVectorView&>(*this), static_cast<BitVectorView&>(other));
    std::swap(memory_, other.memory_);
    return *this;
  }

  // Ones at `count` positions, in whatever order, and zeros elsewhere.
  template <typename T>
  static BitVector from_indices(const T* positions, std::size_t count) {
    std::uint64_t length = 0;
    check(oh_bitvector_len_for(positions, internal::Codec<T>::number, count, &length));
    BitVector bits(length);
    bits.set_many(positions, count, true);
    return bits;
  }

  void set(std::uint64_t index, bool bit = true) { check(oh_bitvector_set(base_, length_, index, bit)); }

  // Inverts a bit, and returns what it is then.
  bool flip(std::uint64_t index) {
    bool bit = false;
    check(oh_bitvector_flip(base_, length_, index, &bit));
    return bit;
  }

  // Gives the bits at `count` positions one value; T is a number type.
  template <typename T>
  void set_many(const T* positions, std::size_t count, bool bit) {
    check(oh_bitvector_set_many(base_, length_, positions, internal::Codec<T>::number, count, bit));
  }

  void push(bool bit) {
    oh_status status = oh_bitvector_push(base_, length_, bit);
    if (status == OH_ERR_FULL) {
      const std::uint64_t room = capacity();
      reserve(room + room / 2 + 4096);
      status = oh_bitvector_push(base_, length_, bit);
    }
    check(status);
  }

  // Makes room for so many bits in all.
  void reserve(std::uint64_t bits) {
    if (bits <= capacity()) return;
    internal::Memory larger(length_of(bits));
    std::memcpy(larger.data(), base_, region_length());
    memory_ = std::move(larger);
    adopt();
    check(oh_bitvector_set_capacity(base_, length_, bits));
  }

  // Makes the vector so long, by zeros or by dropping bits.
  void resize(std::uint64_t bits) {
    reserve(bits);
    check(oh_bitvector_set_len(base_, length_, bits));
  }

  void fill(std::uint64_t from, std::uint64_t to, bool bit) {
    check(oh_bitvector_fill(base_, length_, from, to, bit));
  }
  void invert() { invert(0, size()); }
  void invert(std::uint64_t from, std::uint64_t to) { check(oh_bitvector_invert(base_, length_, from, to)); }

  // Set algebra with the bits of `other` at the same positions, which count as zeros past its end: everywhere
  // (and `or` and `xor` first grow to its length), or within a range.
  void combine(oh_bitvector_op op, const BitVectorView& other) {
    if (op == OH_BITVECTOR_OR || op == OH_BITVECTOR_XOR) {
      if (other.size() > size()) resize(other.size());
    }
    combine(op, other, 0, size());
  }
  void combine(oh_bitvector_op op, const BitVectorView& other, std::uint64_t from, std::uint64_t to) {
    check(oh_bitvector_combine(base_, length_, op, other.base(), other.region_length(), from, to));
  }
  BitVector& operator&=(const BitVectorView& other) { return combined(OH_BITVECTOR_AND, other); }
  BitVector& operator|=(const BitVectorView& other) { return combined(OH_BITVECTOR_OR, other); }
  BitVector& operator^=(const BitVectorView& other) { return combined(OH_BITVECTOR_XOR, other); }
  BitVector& operator-=(const BitVectorView& other) { return combined(OH_BITVECTOR_AND_NOT, other); }

 private:
  static std::size_t length_of(std::uint64_t bits) {
    std::size_t length = 0;
    check(oh_bitvector_length(bits, &length));
    return length;
  }

  void adopt() {
    base_ = memory_.data();
    length_ = memory_.length();
  }

  BitVector& combined(oh_bitvector_op op, const BitVectorView& other) {
    combine(op, other);
    return *this;
  }

  internal::Memory memory_;
};

// ---- RankSelect --------------------------------------------------------------------------------------

// Rank and select in memory somewhere: see RankSelect. Nothing changes, so any number of threads may read.
class RankSelectView {
 public:
  // What lies in `length` bytes at `base`, which must outlive the view.
  RankSelectView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_rankselect_describe(base, length, &info_));
  }

  std::uint64_t size() const noexcept { return info_.len; }
  std::uint64_t ones() const noexcept { return info_.ones; }
  oh_rankselect_variant variant() const noexcept { return static_cast<oh_rankselect_variant>(info_.variant); }

  // Throws past the end.
  bool get(std::uint64_t position) const {
    bool bit = false;
    check(oh_rankselect_get(base_, length_, position, &bit));
    return bit;
  }

  // How many ones, or zeros, are before a position.
  std::uint64_t rank1(std::uint64_t position) const { return one(OH_RANK1, position); }
  std::uint64_t rank0(std::uint64_t position) const { return one(OH_RANK0, position); }
  // Where the k-th one, or zero, is, counted from 0. Throws if there are no more than k.
  std::uint64_t select1(std::uint64_t k) const { return one(OH_SELECT1, k); }
  std::uint64_t select0(std::uint64_t k) const { return one(OH_SELECT0, k); }

  // Many at once: out[i] belongs to questions[i]. Q and T are number types, and T holds every position.
  template <typename Q, typename T>
  void many(oh_rankselect_query query, const Q* questions, std::size_t count, T* out) const {
    check(oh_rankselect_many(base_, length_, query, questions, internal::Codec<Q>::number, count, out,
                             internal::Codec<T>::number));
  }

  void validate() const { check(oh_rankselect_validate(base_, length_)); }

  // The region: what to write to a file, or hand to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_length() const noexcept { return info_.region_length; }

 private:
  std::uint64_t one(oh_rankselect_query query, std::uint64_t question) const {
    std::uint64_t answer = 0;
    check(oh_rankselect_one(base_, length_, query, question, &answer));
    return answer;
  }

  const void* base_;
  std::size_t length_;
  oh_rankselect_info info_ = {};
};

// Rank and select that own their memory: a copy of the bits, and what helps to find them.
class RankSelect : private internal::Memory, public RankSelectView {
 public:
  explicit RankSelect(const BitVectorView& bits, oh_rankselect_variant variant = OH_RANKSELECT_FLAT)
      : RankSelect(bits, planned(bits, variant)) {}

 private:
  RankSelect(const BitVectorView& bits, const oh_rankselect_info& plan)
      : internal::Memory(plan.region_length), RankSelectView(built(*this, bits, plan), length()) {}

  static oh_rankselect_info planned(const BitVectorView& bits, oh_rankselect_variant variant) {
    oh_rankselect_info plan = {};
    check(oh_rankselect_plan(bits.base(), bits.region_length(), variant, &plan));
    return plan;
  }

  static const void* built(internal::Memory& memory, const BitVectorView& bits,
                           const oh_rankselect_info& plan) {
    check(oh_rankselect_build(memory.data(), memory.length(), bits.base(), bits.region_length(), &plan));
    return memory.data();
  }
};

// ---- PackedInts --------------------------------------------------------------------------------------

// Integers of 1 to 64 bits in memory somewhere: see PackedInts. They never change, so any number of threads
// may read.
class PackedIntsView {
 public:
  // The integers in `length` bytes at `base`, which must outlive the view.
  PackedIntsView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_packedints_describe(base, length, &info_));
  }

  std::uint64_t size() const noexcept { return info_.len; }
  bool empty() const noexcept { return info_.len == 0; }
  std::uint32_t bits() const noexcept { return info_.bits; }

  // Throws past the end.
  std::uint64_t at(std::uint64_t index) const {
    std::uint64_t value = 0;
    check(oh_packedints_at(base_, length_, index, &value));
    return value;
  }

  // The integers at `count` indices; Index and T are number types, and T holds integers of bits() bits.
  template <typename Index, typename T>
  void get_many(const Index* indices, std::size_t count, T* out) const {
    check(oh_packedints_get_many(base_, length_, indices, internal::Codec<Index>::number, count, out,
                                 internal::Codec<T>::number));
  }

  // The `count` integers from index `from` on.
  template <typename T>
  void unpack(std::uint64_t from, std::size_t count, T* out) const {
    check(oh_packedints_unpack(base_, length_, from, count, out, internal::Codec<T>::number));
  }

  void validate() const { check(oh_packedints_validate(base_, length_)); }

  // The region: what to write to a file, or hand to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_length() const noexcept { return info_.region_length; }

 private:
  const void* base_;
  std::size_t length_;
  oh_packedints_info info_ = {};
};

// Packed integers that own their memory.
//
//   const std::uint8_t ages[] = {31, 4, 77, 18};
//   offheap::PackedInts packed(ages, 4);  // 7 bits each
class PackedInts : private internal::Memory, public PackedIntsView {
 public:
  // Packs `count` numbers, into as few bits as the largest needs, or into so many.
  template <typename T>
  PackedInts(const T* values, std::size_t count) : PackedInts(values, count, bits_of(values, count)) {}
  template <typename T>
  PackedInts(const T* values, std::size_t count, std::uint32_t bits)
      : PackedInts(internal::Memory(length_of(count, bits)), values, count, bits) {}

 private:
  template <typename T>
  PackedInts(internal::Memory memory, const T* values, std::size_t count, std::uint32_t bits)
      : internal::Memory(std::move(memory)), PackedIntsView(filled(*this, values, count, bits), length()) {}

  template <typename T>
  static std::uint32_t bits_of(const T* values, std::size_t count) {
    std::uint32_t bits = 0;
    check(oh_packedints_measure(values, internal::Codec<T>::number, count, &bits));
    return bits;
  }

  static std::size_t length_of(std::size_t count, std::uint32_t bits) {
    std::size_t length = 0;
    check(oh_packedints_length(count, bits, &length));
    return length;
  }

  template <typename T>
  static const void* filled(internal::Memory& memory, const T* values, std::size_t count,
                            std::uint32_t bits) {
    // Past 53 bits JavaScript needs bigints.
    const std::uint32_t flags = bits > 53 ? OH_PACKEDINTS_BIGINT : 0;
    check(oh_packedints_init(memory.data(), memory.length(), values, internal::Codec<T>::number, count, bits,
                             flags));
    return memory.data();
  }
};

// ---- EliasFano ---------------------------------------------------------------------------------------

// Sorted integers in memory somewhere: see EliasFano. They never change, so any number of threads may read.
class EliasFanoView {
 public:
  // The values in `length` bytes at `base`, which must outlive the view.
  EliasFanoView(const void* base, std::size_t length) : base_(base), length_(length) {
    check(oh_eliasfano_describe(base, length, &info_));
  }

  std::uint64_t size() const noexcept { return info_.len; }
  bool empty() const noexcept { return info_.len == 0; }
  // The largest value; 0 if there is none.
  std::uint64_t max() const noexcept { return info_.max; }

  // The value at an index, in ascending order. Throws past the end.
  std::uint64_t at(std::uint64_t index) const {
    std::uint64_t value = 0;
    check(oh_eliasfano_at(base_, length_, index, &value));
    return value;
  }

  // How many values are less.
  std::uint64_t rank(std::uint64_t value) const {
    std::uint64_t rank = 0;
    check(oh_eliasfano_rank(base_, length_, value, &rank));
    return rank;
  }

  // The first value that is not less, with its index; none past the largest.
  std::optional<oh_eliasfano_entry> next_geq(std::uint64_t value) const {
    oh_eliasfano_entry entry = {};
    bool found = false;
    check(oh_eliasfano_next_geq(base_, length_, value, &entry, &found));
    if (!found) return std::nullopt;
    return entry;
  }

  // The values at `count` indices; Index and T are number types, and T holds the largest value.
  template <typename Index, typename T>
  void get_many(const Index* indices, std::size_t count, T* out) const {
    check(oh_eliasfano_get_many(base_, length_, indices, internal::Codec<Index>::number, count, out,
                                internal::Codec<T>::number));
  }

  // rank() of `count` values.
  template <typename Value, typename T>
  void rank_many(const Value* values, std::size_t count, T* out) const {
    check(oh_eliasfano_rank_many(base_, length_, values, internal::Codec<Value>::number, count, out,
                                 internal::Codec<T>::number));
  }

  // The `count` values from index `from` on.
  template <typename T>
  void unpack(std::uint64_t from, std::size_t count, T* out) const {
    check(oh_eliasfano_unpack(base_, length_, from, count, out, internal::Codec<T>::number));
  }

  void validate() const { check(oh_eliasfano_validate(base_, length_)); }

  // The region: what to write to a file, or hand to JavaScript.
  const void* base() const noexcept { return base_; }
  std::size_t region_length() const noexcept { return info_.region_length; }

 private:
  const void* base_;
  std::size_t length_;
  oh_eliasfano_info info_ = {};
};

// Sorted integers that own their memory, duplicates allowed.
//
//   const std::uint32_t squares[] = {0, 1, 4, 9, 16, 25};
//   offheap::EliasFano values(squares, 6);
//   values.rank(10);  // 4
class EliasFano : private internal::Memory, public EliasFanoView {
 public:
  // Throws unless the `count` values ascend and are integers from 0 on.
  template <typename T>
  EliasFano(const T* values, std::size_t count) : EliasFano(values, count, max_of(values, count)) {}

 private:
  template <typename T>
  EliasFano(const T* values, std::size_t count, std::uint64_t max)
      : internal::Memory(length_of(count, max)), EliasFanoView(filled(*this, values, count, max), length()) {}

  template <typename T>
  static std::uint64_t max_of(const T* values, std::size_t count) {
    std::uint64_t max = 0;
    check(oh_eliasfano_measure(values, internal::Codec<T>::number, count, &max));
    return max;
  }

  static std::size_t length_of(std::size_t count, std::uint64_t max) {
    std::size_t length = 0;
    check(oh_eliasfano_length(count, max, &length));
    return length;
  }

  template <typename T>
  static const void* filled(internal::Memory& memory, const T* values, std::size_t count, std::uint64_t max) {
    check(oh_eliasfano_init(memory.data(), memory.length(), values, internal::Codec<T>::number, count, max));
    return memory.data();
  }
};

// ---- Vector ------------------------------------------------------------------------------------------

// What every vector can do that is in memory somewhere. T: a number type of 1 to 8 bytes.
//
// `sort` orders −0 before 0 and NaN last, `search` goes by that order, with NaN equal to NaN and −0 to 0.
template <typename T>
class VectorView {
 public:
  // The vector in `length` bytes at `base`, which must outlive the view. Throws if its elements are no T.
  VectorView(const void* base, std::size_t length) : base_(base), length_(length) {
    if (describe().element_type != internal::Codec<T>::number) {
      throw Error(OH_ERR_TYPE, "the vector has elements of another type");
    }
  }

  std::size_t size() const { return static_cast<std::size_t>(describe().len); }
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
  // In a sorted vector: the index of the first element equal to a value, or -(i + 1), with the index to
  // insert it at.
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
    check(oh_vector_describe(base_, length_, &info));
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
    check(oh_vec_new(internal::Codec<T>::number, capacity, &vec_));
  }
  Vector(Vector&& other) noexcept : vec_(std::exchange(other.vec_, nullptr)) {
    look();
    other.look();
  }
  Vector& operator=(Vector&& other) noexcept {
    std::swap(vec_, other.vec_);
    look();
    other.look();
    return *this;
  }
  ~Vector() { oh_vec_free(vec_); }

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
    check(oh_vec_push(vec_, values, count));
    look();
  }
  void reserve(std::size_t capacity) {
    check(oh_vec_reserve(vec_, capacity));
    look();
  }
  void truncate(std::size_t size) {
    check(oh_vec_truncate(vec_, size));
    look();
  }
  void sort() { check(oh_vec_sort(vec_)); }

  double sum() { return view().sum(); }
  std::optional<T> min() { return view().min(); }
  std::optional<T> max() { return view().max(); }
  std::int64_t index_of(T value, std::size_t from = 0) { return view().index_of(value, from); }
  std::int64_t search(T value) { return view().search(value); }
  std::vector<std::uint32_t> argsort() { return view().argsort(); }

  // The region: what to write to a file, or hand to JavaScript. Good until the vector is changed.
  const void* base() { return region().first; }
  std::size_t region_length() { return region().second; }
  VectorView<T> view() {
    const auto [base, length] = region();
    return VectorView<T>(base, length);
  }

 private:
  void look() noexcept {
    data_ = static_cast<T*>(oh_vec_data(vec_));
    size_ = oh_vec_len(vec_);
  }
  std::pair<void*, std::size_t> region() {
    void* base = nullptr;
    std::size_t length = 0;
    check(oh_vec_region(vec_, &base, &length));
    return {base, length};
  }

  oh_vec* vec_ = nullptr;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

// ---- Pools -----------------------------------------------------------------------------------------

namespace internal {

// Memory for a region, at a multiple of 64.
class RegionMemory {
 public:
  explicit RegionMemory(std::uint64_t length)
      : base_(::operator new(static_cast<std::size_t>(length), std::align_val_t{64})),
        length_(static_cast<std::size_t>(length)) {}
  RegionMemory(const RegionMemory&) = delete;
  RegionMemory& operator=(const RegionMemory&) = delete;
  ~RegionMemory() { ::operator delete(base_, std::align_val_t{64}); }

  void* base() const noexcept { return base_; }
  std::size_t length() const noexcept { return length_; }

 private:
  void* base_;
  std::size_t length_;
};

// What pools have in common. F names the functions of one kind.
template <typename F>
class PoolHandle {
 public:
  using Offset = std::uint64_t;

  PoolHandle(const PoolHandle&) = delete;
  PoolHandle& operator=(const PoolHandle&) = delete;
  PoolHandle(PoolHandle&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  PoolHandle& operator=(PoolHandle&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~PoolHandle() { F::close(pool_); }

  // The offset of a block of at least so many bytes. Throws with OH_ERR_FULL where there is no room.
  Offset alloc(std::uint64_t bytes) {
    Offset offset = 0;
    check(F::alloc(pool_, bytes, &offset));
    return offset;
  }
  std::optional<Offset> try_alloc(std::uint64_t bytes) {
    Offset offset = 0;
    const oh_status status = F::alloc(pool_, bytes, &offset);
    if (status == OH_ERR_FULL) return std::nullopt;
    check(status);
    return offset;
  }
  void free(Offset offset) { check(F::free(pool_, offset)); }

  // The first byte of all blocks, and that of one.
  unsigned char* data() const noexcept { return data_; }
  void* at(Offset offset) const noexcept { return data_ + offset; }

  typename F::Raw* get() const noexcept { return pool_; }

 protected:
  PoolHandle(typename F::Raw* pool, void* data) noexcept
      : pool_(pool), data_(static_cast<unsigned char*>(data)) {}

 private:
  typename F::Raw* pool_;
  unsigned char* data_;
};

struct FixedFunctions {
  using Raw = oh_fixedpool;
  static constexpr auto close = oh_fixedpool_close;
  static constexpr auto alloc = oh_fixedpool_alloc;
  static constexpr auto free = oh_fixedpool_free;
};
struct LockFreeFunctions {
  using Raw = oh_lockfreepool;
  static constexpr auto close = oh_lockfreepool_close;
  static constexpr auto alloc = oh_lockfreepool_alloc;
  static constexpr auto free = oh_lockfreepool_free;
};
struct LocalFunctions {
  using Raw = oh_localpool;
  static constexpr auto close = oh_localpool_close;
  static constexpr auto alloc = oh_localpool_alloc;
  static constexpr auto free = oh_localpool_free;
};

}  // namespace internal

// A block that goes back to its pool by itself:
//
//   offheap::Block block(pool, 64);
//   std::memset(block.data(), 0, 64);
template <typename Pool>
class Block {
 public:
  Block(Pool& pool, std::uint64_t bytes) : pool_(pool), offset_(pool.alloc(bytes)) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  // A guard that was overwritten ends the program here: free such a block by hand to learn of it.
  ~Block() { pool_.free(offset_); }

  std::uint64_t offset() const noexcept { return offset_; }
  void* data() const noexcept { return pool_.at(offset_); }

 private:
  Pool& pool_;
  std::uint64_t offset_;
};

// A view of a FixedPool's region, which something else owns. For one thread at a time.
class FixedPoolView : public internal::PoolHandle<internal::FixedFunctions> {
 public:
  FixedPoolView(void* base, std::size_t length) : FixedPoolView(attach(base, length)) {}

 private:
  explicit FixedPoolView(oh_fixedpool* pool) : PoolHandle(pool, oh_fixedpool_data(pool)) {}
  static oh_fixedpool* attach(void* base, std::size_t length) {
    oh_fixedpool* pool = nullptr;
    check(oh_fixedpool_attach(base, length, &pool));
    return pool;
  }
};

// One thread's handle on a LockFreePool's region, which something else owns.
class LockFreeHandle : public internal::PoolHandle<internal::LockFreeFunctions> {
 public:
  LockFreeHandle(void* base, std::size_t length) : LockFreeHandle(attach(base, length)) {}

  oh_lockfreepool_stats stats() const {
    oh_lockfreepool_stats stats{};
    check(oh_lockfreepool_stats_of(get(), &stats));
    return stats;
  }

 private:
  explicit LockFreeHandle(oh_lockfreepool* pool) : PoolHandle(pool, oh_lockfreepool_data(pool)) {}
  static oh_lockfreepool* attach(void* base, std::size_t length) {
    oh_lockfreepool* pool = nullptr;
    check(oh_lockfreepool_attach(base, length, &pool));
    return pool;
  }
};

// The same with a cache of up to `cache` bytes.
class LocalPool : public internal::PoolHandle<internal::LocalFunctions> {
 public:
  LocalPool(void* base, std::size_t length, std::uint64_t cache) : LocalPool(attach(base, length, cache)) {}

  void flush() { check(oh_localpool_flush(get())); }

 private:
  explicit LocalPool(oh_localpool* pool)
      : PoolHandle(pool, oh_lockfreepool_data(oh_localpool_handle(pool))) {}
  static oh_localpool* attach(void* base, std::size_t length, std::uint64_t cache) {
    oh_localpool* pool = nullptr;
    check(oh_localpool_attach(base, length, cache, &pool));
    return pool;
  }
};

// A pool for all threads that owns its memory. Each thread takes a handle, which must not outlive the pool.
class LockFreePool {
 public:
  explicit LockFreePool(std::uint64_t capacity) : LockFreePool(sized(capacity)) {}
  explicit LockFreePool(const oh_lockfreepool_options& options) : memory_(length_of(options)) {
    check(oh_lockfreepool_init(memory_.base(), memory_.length(), &options, false));
  }

  LockFreeHandle handle() const { return LockFreeHandle(memory_.base(), memory_.length()); }
  LocalPool cached(std::uint64_t cache) const { return LocalPool(memory_.base(), memory_.length(), cache); }
  void validate() const { check(oh_lockfreepool_validate(memory_.base(), memory_.length())); }

  void* base() const noexcept { return memory_.base(); }
  std::size_t region_length() const noexcept { return memory_.length(); }

 private:
  static oh_lockfreepool_options sized(std::uint64_t capacity) {
    oh_lockfreepool_options options{};
    options.struct_size = sizeof options;
    options.capacity = capacity;
    return options;
  }
  static std::uint64_t length_of(const oh_lockfreepool_options& options) {
    std::uint64_t length = 0;
    check(oh_lockfreepool_length(&options, &length));
    return length;
  }

  internal::RegionMemory memory_;
};

// A pool of blocks of one size for one thread that owns its memory.
class FixedPool : private internal::RegionMemory, public FixedPoolView {
 public:
  FixedPool(std::uint64_t block_size, std::uint64_t blocks) : FixedPool(Options(block_size, blocks)) {}
  explicit FixedPool(const oh_fixedpool_options& options)
      : RegionMemory(length_of(options)),
        FixedPoolView(initialised(*this, options), RegionMemory::length()) {}
  // Views point into the memory, which stays where it is.
  FixedPool(FixedPool&&) = delete;
  FixedPool& operator=(FixedPool&&) = delete;

 private:
  struct Options {
    std::uint64_t size, blocks;
    oh_fixedpool_options options{};
    Options(std::uint64_t size_, std::uint64_t blocks_) : size(size_), blocks(blocks_) {
      options.struct_size = sizeof options;
      options.sizes = &size;
      options.blocks = &blocks;
      options.classes = 1;
    }
  };
  explicit FixedPool(const Options& options) : FixedPool(options.options) {}
  static std::uint64_t length_of(const oh_fixedpool_options& options) {
    std::uint64_t length = 0;
    check(oh_fixedpool_length(&options, &length));
    return length;
  }
  static void* initialised(const RegionMemory& memory, const oh_fixedpool_options& options) {
    check(oh_fixedpool_init(memory.base(), memory.length(), &options));
    return memory.base();
  }
};

}  // namespace offheap

#endif  // OFFHEAP_HPP
