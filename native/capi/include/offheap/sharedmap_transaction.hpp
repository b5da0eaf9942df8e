// offheap/sharedmap_transaction.hpp: the transactions of a SharedMap. See sharedmap.hpp.
#ifndef OFFHEAP_SHAREDMAP_TRANSACTION_HPP
#define OFFHEAP_SHAREDMAP_TRANSACTION_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../offheap.h"
#include "codec.hpp"
#include "error.hpp"
#include "sharedmap_memory.hpp"
#include "sharedmap_types.hpp"

namespace offheap {

// Reads and changes of several keys: the argument of the function that SharedMap::transaction runs.
// Keys are read from the map once; changes are kept here until the commit.
template <typename K, typename V>
class SharedMapTransaction {
  using Keys = internal::Codec<K>;
  using Values = internal::SharedValue<V>;

 public:
  using Value = typename Values::Owned;

  SharedMapTransaction(const SharedMapTransaction&) = delete;
  SharedMapTransaction& operator=(const SharedMapTransaction&) = delete;

  // The value of a key, as this transaction has changed it.
  std::optional<Value> get(const K& key) { return look(key).value; }
  // Whether a key is present, as this transaction has changed it.
  bool contains(const K& key) { return look(key).value.has_value(); }

  // Sets a key when the transaction is committed. Throws OH_ERR_RANGE for more than 64 keys.
  void set(const K& key, const V& value, const Expiry& expiry = Expiry()) {
    State& state = change(bytes_of(key));
    Values::own(value, state.value.emplace());
    state.expiry = expiry;
  }
  // Deletes a key when the transaction is committed. Returns whether it was present.
  bool remove(const K& key) {
    const bool is_present = contains(key);
    change(bytes_of(key)).value.reset();
    return is_present;
  }

 private:
  template <typename, typename>
  friend class SharedMap;

  static constexpr std::size_t kMostChanges = 64;

  struct State {
    // The value as the transaction has read or changed it.
    std::optional<Value> value;
    Expiry expiry;
    // Of the entry that was read; 0: the key was absent.
    std::uint64_t version = 0;
    bool is_read = false;
    bool is_changed = false;
  };

  explicit SharedMapTransaction(oh_sharedmap* map) noexcept : map_(map) {}

  // The bytes that identify a key: all NaNs are equal, and -0.0 equals 0.0.
  static std::string bytes_of(K key) {
    if constexpr (std::is_same_v<K, double>) {
      if (std::isnan(key)) key = std::numeric_limits<double>::quiet_NaN();
      if (key == 0) key = 0.0;
    }
    return Keys::size(key) == 0 ? std::string()
                                : std::string(static_cast<const char*>(Keys::data(key)), Keys::size(key));
  }

  State& change(std::string key) {
    const auto found = states_.find(key);
    if (found != states_.end() && found->second.is_changed) return found->second;
    if (changes_ == kMostChanges) throw Error(OH_ERR_RANGE, "a transaction changes at most 64 keys");
    State& state = found != states_.end() ? found->second : states_[std::move(key)];
    state.is_changed = true;
    changes_++;
    return state;
  }

  const State& look(const K& key) {
    std::string bytes = bytes_of(key);
    const auto known = states_.find(bytes);
    if (known != states_.end()) return known->second;
    State state;
    state.is_read = true;
    oh_sharedmap_entry entry = {};
    for (bool found = false;;) {
      check(oh_sharedmap_get(map_, bytes.data(), bytes.size(), true, buffer_.data(), buffer_.capacity(),
                             &entry, &found));
      if (!found) break;
      if (entry.value_length <= buffer_.capacity()) {
        state.version = entry.version;
        Values::own(Values::read(entry.value_type, buffer_.data(), entry.value_length),
                    state.value.emplace());
        break;
      }
      buffer_.reserve(entry.value_length);
    }
    return states_.emplace(std::move(bytes), std::move(state)).first->second;
  }

  // Makes the changes. False if a key that was read has another version now.
  bool commit() {
    if (states_.empty()) return true;
    std::vector<oh_sharedmap_read> reads;
    std::vector<oh_sharedmap_change> changes;
    struct Held {
      V value;
    };
    std::vector<Held> values;  // what `changes` refer to; V may be bool
    values.reserve(changes_);
    for (const auto& [key, state] : states_) {
      if (state.is_read) reads.push_back({key.data(), key.size(), state.version});
      if (!state.is_changed) continue;
      oh_sharedmap_change change = {};
      change.key = key.data();
      change.key_length = key.size();
      change.expiry = state.expiry.mode();
      change.expires_at = state.expiry.expires_at();
      change.remove = !state.value.has_value();
      if (state.value) {
        const V& value = values.emplace_back(Held{Values::view(*state.value)}).value;
        change.value = Values::data(value);
        change.value_length = Values::size(value);
        change.value_type = Values::type(value);
      }
      changes.push_back(change);
    }
    bool done = false;
    check(oh_sharedmap_commit(map_, reads.data(), reads.size(), changes.data(), changes.size(), &done));
    return done;
  }

  oh_sharedmap* map_;
  std::map<std::string, State> states_;
  std::size_t changes_ = 0;
  internal::Scratch buffer_;
};

}  // namespace offheap

#endif  // OFFHEAP_SHAREDMAP_TRANSACTION_HPP
