// offheap/sharedmap.hpp: SharedMap, a map that threads and processes write. See offheap.hpp.
//
//   offheap::SharedMap<std::string_view, double> prices(64 << 20);  // 64 MiB at most
//   prices.set("apple", 0.5, std::chrono::minutes(10));
//   std::thread writer([own = prices.attach()]() mutable { own.set("pear", 0.75); });
//
//   using Hits = offheap::SharedMap<std::uint64_t, double>;
//   Hits hits = Hits::open_or_create("/dev/shm/hits", 1 << 20);
//   hits.increment(42);  // while other processes do the same
#ifndef OFFHEAP_SHAREDMAP_HPP
#define OFFHEAP_SHAREDMAP_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "memory.hpp"
#include "sharedmap_memory.hpp"
#include "sharedmap_reader.hpp"
#include "sharedmap_scan.hpp"
#include "sharedmap_transaction.hpp"
#include "sharedmap_types.hpp"

namespace offheap {

// One attachment of a map from K to V that threads and processes share, within a bound in bytes.
// SharedMapReader, from which it inherits, describes the types and the calls that read; const calls
// change nothing but statistics. A change locks one shard of the map, and takes about 100 ns.
//
// A full map evicts entries, or throws OH_ERR_FULL if its options say so or a value can never fit.
// After an exception the map is unchanged.
template <typename K, typename V>
class SharedMap : public SharedMapReader<K, V> {
  using Reader = SharedMapReader<K, V>;
  using Reader::check_types;
  using Reader::scratch_;
  using Reader::self_;
  using typename Reader::Keys;
  using typename Reader::Map;
  using typename Reader::Values;

 public:
  using Reader::handle;
  using typename Reader::Entry;
  using typename Reader::Milliseconds;
  using typename Reader::Value;
  using Transaction = SharedMapTransaction<K, V>;

  // An event. Text and bytes are valid during the call that receives it.
  struct Event {
    // One of OH_SHAREDMAP_EVENT_...
    std::uint32_t type;
    K key;
  };

  // An entry that may be evicted. Text and bytes are valid during the call that receives it.
  struct Candidate {
    K key;
    std::uint64_t version;
    // Milliseconds since 1970; infinity if the entry does not expire.
    double expires_at;
    // Bytes of the entry in the map, without the index.
    std::uint64_t bytes;
  };

  // Options of a map with this bound: those of the C ABI, to be changed as needed.
  static oh_sharedmap_options options(std::uint64_t max_bytes) noexcept {
    oh_sharedmap_options options = {};
    options.struct_size = sizeof options;
    options.max_bytes = max_bytes;
    options.key = Keys::number;
    options.value = Values::number;
    return options;
  }

  // A map in memory of this process, with room for `max_bytes` in all: 65,536 to 2^35. The memory
  // lives as long as the last attachment.
  explicit SharedMap(std::uint64_t max_bytes) : SharedMap(options(max_bytes)) {}
  explicit SharedMap(const oh_sharedmap_options& options) {
    const oh_sharedmap_options typed = with_types(options);
    std::uint64_t length = 0;
    check(oh_sharedmap_region_size(&typed, &length));
    if (length > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
    self_.memory = std::make_shared<internal::SharedMemory>(static_cast<std::size_t>(length));
    void* base = self_.memory->base();
    check(oh_sharedmap_init(base, static_cast<std::size_t>(length), &typed));
    self_.map = internal::make_handle<Map>(oh_sharedmap_attach, base, static_cast<std::size_t>(length), true);
  }

  // Creates a map in `length` bytes at `base`, which are 0, a multiple of 8, and valid until the
  // last attachment is closed: for example those of a SharedArrayBuffer.
  static SharedMap create_at(void* base, std::size_t length, const oh_sharedmap_options& options) {
    const oh_sharedmap_options typed = with_types(options);
    check(oh_sharedmap_init(base, length, &typed));
    return attach_at(base, length);
  }
  // Attaches to the map in `length` bytes at `base`. Throws OH_ERR_TYPE unless it is from K to V.
  static SharedMap attach_at(void* base, std::size_t length) {
    return SharedMap(internal::make_handle<Map>(oh_sharedmap_attach, base, length, false));
  }

  // How to open a file: those of the C ABI, to be changed as needed.
  static oh_sharedmap_open_options open_options() noexcept {
    oh_sharedmap_open_options options = {};
    options.struct_size = sizeof options;
    return options;
  }
  // Opens the map in the file at `path`, by default an existing one for reading and writing. Throws
  // OH_ERR_TYPE unless it is from K to V. `opened` receives what opening did. See
  // oh_sharedmap_open.
  static SharedMap open(std::string_view path, const oh_sharedmap_open_options& options = open_options(),
                        oh_sharedmap_opened* opened = nullptr) {
    return SharedMap(
        internal::make_handle<Map>(oh_sharedmap_open, path.data(), path.size(), &options, opened));
  }
  // Opens the map in the file at `path`, or creates it.
  static SharedMap open_or_create(std::string_view path, const oh_sharedmap_options& options,
                                  oh_sharedmap_opened* opened = nullptr) {
    const oh_sharedmap_options typed = with_types(options);
    oh_sharedmap_open_options how = open_options();
    how.map = &typed;
    return open(path, how, opened);
  }
  static SharedMap open_or_create(std::string_view path, std::uint64_t max_bytes) {
    return open_or_create(path, options(max_bytes));
  }

  // Another attachment of the same map, for another thread. Any thread may call it.
  SharedMap attach() const { return SharedMap(this->attached(), self_.memory); }

  // Sets a key. Returns whether it is new.
  bool set(const K& key, const V& value, const Expiry& expiry = Expiry()) {
    return !write(key, value, OH_SHAREDMAP_SET, 0, expiry).existed;
  }
  // Sets a key if it is absent. Returns whether it did.
  bool add(const K& key, const V& value, const Expiry& expiry = Expiry()) {
    return write(key, value, OH_SHAREDMAP_ADD, 0, expiry).stored;
  }
  // Sets a key if it is present. Returns whether it did.
  bool replace(const K& key, const V& value, const Expiry& expiry = Expiry()) {
    return write(key, value, OH_SHAREDMAP_REPLACE, 0, expiry).stored;
  }
  // Sets a key if its entry has this version; 0: if it is absent. Returns whether it did.
  bool compare_and_set(const K& key, std::uint64_t version, const V& value, const Expiry& expiry = Expiry()) {
    return write(key, value, OH_SHAREDMAP_COMPARE, version, expiry).stored;
  }
  // The general form: `mode` is OH_SHAREDMAP_SET, ADD, REPLACE or COMPARE. Returns what happened,
  // and the version that is in the map now.
  oh_sharedmap_written write(const K& key, const V& value, std::uint32_t mode, std::uint64_t version = 0,
                             const Expiry& expiry = Expiry()) {
    const oh_sharedmap_write options = write_options(value, mode, version, expiry);
    oh_sharedmap_written written = {};
    check(oh_sharedmap_set(handle(), Keys::data(key), Keys::size(key), Values::data(value),
                           Values::size(value), &options, &written));
    return written;
  }

  // Deletes a key. Returns whether it was present.
  bool remove(const K& key) {
    bool removed = false;
    check(oh_sharedmap_remove(handle(), Keys::data(key), Keys::size(key), &removed));
    return removed;
  }
  // Deletes a key, and returns its value.
  std::optional<Value> get_and_remove(const K& key) {
    std::optional<Value> value;
    this->fetch([&](const V& found, const auto&) { Values::own(found, value.emplace()); },
                [&](void* buffer, std::size_t capacity, oh_sharedmap_entry* entry, bool* found) {
                  return oh_sharedmap_take(handle(), Keys::data(key), Keys::size(key), buffer, capacity,
                                           entry, found);
                });
    return value;
  }
  void clear() { check(oh_sharedmap_clear(handle())); }

  // Gives an entry another time of expiry: not the default, and not keep(). Returns whether the key
  // is present.
  bool touch(const K& key, const Expiry& expiry) {
    if (expiry.mode() != OH_SHAREDMAP_EXPIRY_AT && expiry.mode() != OH_SHAREDMAP_EXPIRY_NEVER) {
      throw Error(OH_ERR_RANGE, "touch needs a duration, a time, or never()");
    }
    bool found = false;
    check(oh_sharedmap_touch(handle(), Keys::data(key), Keys::size(key), expiry.expires_at(), &found));
    return found;
  }

  // Adds to the number of a key, which counts as 0 if the key is absent, as one step. Returns the
  // sum. Throws OH_ERR_RANGE if the type cannot represent it. For maps of numbers and mixed values.
  template <typename T = V>
  auto increment(const K& key, std::conditional_t<std::is_integral_v<T>, std::int64_t, double> by = 1) {
    static_assert((Values::plain && !std::is_same_v<V, bool>) || std::is_same_v<V, Mixed>,
                  "the values must be numbers");
    if constexpr (std::is_integral_v<V> && sizeof(V) == 8) {
      std::int64_t sum = 0;
      check(oh_sharedmap_increment_integer(handle(), Keys::data(key), Keys::size(key), by, &sum));
      return static_cast<V>(sum);
    } else {
      double sum = 0;
      check(
          oh_sharedmap_increment(handle(), Keys::data(key), Keys::size(key), static_cast<double>(by), &sum));
      return static_cast<std::conditional_t<std::is_same_v<V, Mixed>, double, V>>(sum);
    }
  }

  // Sets a key to change(value) as one step, and returns the new value. `change` takes a
  // std::optional<Value>, nothing if the key is absent, and returns a Value. It is called again if
  // the key was changed meanwhile. The entry keeps its time of expiry. Throws OH_ERR_CONFLICT if
  // the key was changed during each of 1,000 attempts.
  template <typename Change>
  Value update(const K& key, Change&& change) {
    for (int attempt = 0; attempt < kAttempts; attempt++) {
      std::optional<Entry> before = this->entry(key);
      const std::uint64_t version = before ? before->version : 0;
      // Named, because g++ 12 takes a temporary optional for uninitialized.
      Value value = before ? owned(change(std::optional<Value>(std::move(before->value))))
                           : owned(change(std::optional<Value>()));
      const Expiry expiry = version != 0 ? Expiry::keep() : Expiry();
      if (compare_and_set(key, version, Values::view(value), expiry)) return value;
    }
    throw Error(OH_ERR_CONFLICT, "the key was changed during each of 1000 attempts to update it");
  }

  // The value of a key; if it is absent, `value` is stored first.
  Value get_or_insert(const K& key, const V& value, const Expiry& expiry = Expiry()) {
    return get_or_insert_with(key, [&] { return value; }, expiry);
  }
  // The value of a key; if it is absent, make() is stored first. Several threads may call their
  // `make` at the same time, and all return the value that is stored: see get_or_compute.
  template <typename Make>
  Value get_or_insert_with(const K& key, Make&& make, const Expiry& expiry = Expiry()) {
    if (std::optional<Value> found = this->get(key)) return *std::move(found);
    Value value = owned(make());
    add(key, Values::view(value), expiry);
    // Another participant may have deleted it, or it was evicted.
    if (std::optional<Value> stored = this->peek(key)) return *std::move(stored);
    return value;
  }
  // The value of a key; if it is absent, one caller of all threads and processes computes it, while
  // the others sleep. Another one takes over if compute() throws, if its process terminates, and
  // after `lease`. Then a value that was stored meanwhile is kept, and compute's is returned.
  template <typename Compute>
  Value get_or_compute(const K& key, Compute&& compute, const Expiry& expiry = Expiry(),
                       Milliseconds lease = std::chrono::seconds(30)) {
    constexpr std::chrono::milliseconds kLongest(50);
    for (std::chrono::milliseconds pause(1);; pause = pause * 2 < kLongest ? pause * 2 : kLongest) {
      // Waiting for a value is one read.
      const bool is_first = pause.count() == 1;
      if (std::optional<Value> found = is_first ? this->get(key) : this->peek(key)) return *std::move(found);
      std::uint32_t outcome = 0;
      check(oh_sharedmap_lease(handle(), Keys::data(key), Keys::size(key), lease.count(), &outcome));
      if (outcome == OH_SHAREDMAP_LEASE_ACQUIRED) return compute_now(key, compute, expiry, lease);
      if (outcome == OH_SHAREDMAP_LEASE_HELD) std::this_thread::sleep_for(pause);
    }
  }

  // Changes up to 64 keys, all of them or none: run(transaction) reads and changes through its
  // argument, and is called again, up to `retries` times, if another participant changed a key that
  // it read. Returns its result. Throws OH_ERR_CONFLICT when the retries are used up.
  //
  //   accounts.transaction([&](auto& tx) {
  //     tx.set("a", tx.get("a").value_or(0) - 5);
  //     tx.set("b", tx.get("b").value_or(0) + 5);
  //   });
  template <typename Run>
  auto transaction(Run&& run, std::uint32_t retries = 100) {
    for (std::uint64_t attempt = 0; attempt <= retries; attempt++) {
      Transaction transaction(handle());
      if constexpr (std::is_void_v<decltype(run(transaction))>) {
        run(transaction);
        if (transaction.commit()) return;
      } else {
        auto result = run(transaction);
        if (transaction.commit()) return result;
      }
    }
    throw Error(OH_ERR_CONFLICT, "others changed the keys of a transaction during each of " +
                                     std::to_string(std::uint64_t{retries} + 1) + " attempts");
  }

  // Sets the value of the entry of a handle. Returns false if the handle is stale.
  bool set_by_handle(std::uint64_t entry, const V& value, const Expiry& expiry = Expiry()) {
    const oh_sharedmap_write options = write_options(value, OH_SHAREDMAP_SET, 0, expiry);
    oh_sharedmap_written written = {};
    check(oh_sharedmap_set_by_handle(handle(), entry, Values::data(value), Values::size(value), &options,
                                     &written));
    return written.stored;
  }
  // Deletes the entry of a handle. Returns false if the handle is stale.
  bool remove_by_handle(std::uint64_t entry) {
    bool removed = false;
    check(oh_sharedmap_remove_by_handle(handle(), entry, &removed));
    return removed;
  }

  // Sets keys[i] to values[i] with the map's time to live. After an exception, those before the
  // value that was refused are set.
  template <typename T = V>
  void set_many(const K* keys, const T* values, std::size_t count) {
    static_assert(Keys::plain && Values::plain, "bulk calls require numbers or bool");
    std::size_t done = 0;
    check(oh_sharedmap_set_many(handle(), keys, values, count, &done));
  }
  // Deletes `count` keys and returns the number of keys that were present.
  template <typename T = K>
  std::size_t remove_many(const T* keys, std::size_t count) {
    static_assert(Keys::plain, "bulk calls require numbers or bool");
    std::size_t removed = 0;
    check(oh_sharedmap_remove_many(handle(), keys, count, &removed));
    return removed;
  }

  // Whether an entry of this size, in bytes, can be stored if others make room.
  bool fits(std::size_t key_length, std::size_t value_length) const {
    bool fits = false;
    check(oh_sharedmap_fits(handle(), key_length, value_length, &fits));
    return fits;
  }
  // For maps that do not evict and make room themselves: calls use(candidate) for up to `limit`
  // entries of a shard, from a bucket that `seed` selects; pass random numbers for random entries.
  // The shard of a key is handle_of(key) modulo stats().shards.
  template <typename Use>
  void sample(std::uint32_t shard, std::uint32_t seed, std::size_t limit, Use&& use) const {
    internal::Borrowed scratch(scratch_);
    std::size_t length = 0, count = 0;
    for (;;) {
      check(oh_sharedmap_sample(handle(), shard, seed, limit, scratch->data(), scratch->capacity(), &length,
                                &count));
      if (length <= scratch->capacity()) break;
      scratch->reserve(length);
    }
    for (internal::RecordReader records(scratch->data(), length); !records.at_end();) {
      const auto head = records.template number<std::uint32_t>();
      records.template number<std::uint32_t>();
      const auto bytes = records.template number<std::uint64_t>();
      const auto expires_at = records.template number<double>();
      const auto version = records.template number<std::uint64_t>();
      const auto [key, size] = records.blob(head, Keys::plain);
      use(Candidate{Keys::read(key, size), version, expires_at > 0 ? expires_at : Reader::kNever, bytes});
    }
  }
  // Evicts a key if its entry has this version. Returns whether it did.
  bool evict(const K& key, std::uint64_t version) {
    bool evicted = false;
    check(oh_sharedmap_evict(handle(), Keys::data(key), Keys::size(key), version, &evicted));
    return evicted;
  }

  // Records events of these types (OH_SHAREDMAP_EVENT_... combined with |) from now on, for poll();
  // 0: none.
  void subscribe(std::uint32_t events) { check(oh_sharedmap_subscribe(handle(), events)); }
  // Calls receive(event) for the events since the last call, of all participants. Returns the
  // number of events that were overwritten before this call. `receive` may change the map; if it
  // throws, the remaining events of the call are lost.
  template <typename Receive>
  std::uint64_t poll(Receive&& receive) {
    internal::Borrowed scratch(scratch_);
    std::size_t length = 0;
    std::uint64_t dropped = 0;
    for (;;) {
      check(oh_sharedmap_poll(handle(), scratch->data(), scratch->capacity(), &length, &dropped));
      if (length <= scratch->capacity()) break;
      scratch->reserve(length);
    }
    for (internal::RecordReader records(scratch->data(), length); !records.at_end();) {
      records.template number<std::uint32_t>();
      const auto type = records.template number<std::uint32_t>();
      const auto head = records.template number<std::uint32_t>();
      records.template number<std::uint32_t>();
      const auto [key, size] = records.blob(head, Keys::plain);
      receive(Event{type, Keys::read(key, size)});
    }
    return dropped;
  }

  // Removes entries that have expired and returns their number.
  std::size_t purge_expired() {
    std::size_t count = 0;
    check(oh_sharedmap_purge_expired(handle(), std::numeric_limits<std::size_t>::max(), &count));
    return count;
  }
  // Checks all contents, O(bytes), shard by shard, for which it takes the locks. Throws
  // OH_ERR_CORRUPT.
  void validate() const { check(oh_sharedmap_validate(handle())); }

  // Writes the entries of one instant to the file at `path`, while others write. Returns false, and
  // leaves the file incomplete, if `control` was told to stop. See oh_sharedmap_save.
  bool save(std::string_view path, oh_control* control = nullptr) {
    bool finished = false;
    check(oh_sharedmap_save(handle(), path.data(), path.size(), control, &finished));
    return finished;
  }
  // Stores the entries of a snapshot in this map and returns their number. See
  // oh_sharedmap_restore.
  std::uint64_t restore(std::string_view path) {
    std::uint64_t count = 0;
    check(oh_sharedmap_restore(handle(), path.data(), path.size(), &count));
    return count;
  }
  // A map in memory with the options and the entries of a snapshot.
  static SharedMap from_snapshot(std::string_view path) {
    oh_sharedmap_snapshot_info info;
    check(oh_sharedmap_snapshot_get_info(path.data(), path.size(), &info));
    check_types(info.key, info.value);
    oh_sharedmap_options options = SharedMap::options(info.max_bytes);
    options.ttl = info.ttl;
    options.policy = info.policy;
    options.reject = info.reject != 0;
    SharedMap map(options);
    map.restore(path);
    return map;
  }

 private:
  static constexpr int kAttempts = 1000;

  explicit SharedMap(Map map, std::shared_ptr<internal::SharedMemory> memory = nullptr)
      : Reader(std::move(map), std::move(memory)) {}

  static oh_sharedmap_options with_types(const oh_sharedmap_options& options) {
    check_types(options.key, options.value);
    return options;
  }

  static oh_sharedmap_write write_options(const V& value, std::uint32_t mode, std::uint64_t version,
                                          const Expiry& expiry) noexcept {
    oh_sharedmap_write options = {};
    options.struct_size = sizeof options;
    options.mode = mode;
    options.version = version;
    options.expiry = expiry.mode();
    options.expires_at = expiry.expires_at();
    options.value_type = Values::type(value);
    return options;
  }

  // What a caller's function returned, as a Value.
  template <typename T>
  static Value owned(T&& made) {
    if constexpr (std::is_arithmetic_v<Value>) {
      return static_cast<Value>(made);
    } else if constexpr (std::is_convertible_v<T&&, Value>) {
      return std::forward<T>(made);
    } else {
      Value value;
      Values::own(made, value);
      return value;
    }
  }

  // Computes and stores a value; this attachment has the lease.
  template <typename Compute>
  Value compute_now(const K& key, Compute&& compute, const Expiry& expiry, Milliseconds lease) {
    struct Lease {
      oh_sharedmap* map;
      const K& key;
      ~Lease() {
        if (map) oh_sharedmap_end_lease(map, Keys::data(key), Keys::size(key));
      }
    } held{handle(), key};
    const auto end = std::chrono::steady_clock::now() + lease;
    Value value = owned(compute());
    // After its lease another one may have stored a value, which is at least as recent.
    const bool is_late = std::chrono::steady_clock::now() > end;
    write(key, Values::view(value), is_late ? OH_SHAREDMAP_ADD : OH_SHAREDMAP_SET, 0, expiry);
    held.map = nullptr;
    return value;
  }
};

}  // namespace offheap

#endif  // OFFHEAP_SHAREDMAP_HPP
