// SharedMap: attachments, and the calls that change a map.
//
// An attachment is an integer, the index in a table of its environment. Calls take numbers only, so
// that they cost about as little as a call into the addon can. Keys and values are passed in a
// message: a buffer that TypeScript allocates, whose address the attachment keeps.
//
//   word 0         head of the key: length * 4 + encoding; 0 for keys of fixed size
//   word 1         head of the value
//   word 2         type of the value in a map of mixed values
//   word 3         expiry (OH_SHAREDMAP_EXPIRY_...)
//   bytes 16 to 32 time of expiry and version, as doubles
//   bytes 32 to 56 results: version, time of expiry, bytes of the entry, as doubles
//   words 14, 15   results: head and type of the value
//   byte 64        the key, padded to a multiple of 8, and the value; or a value that is returned
//
// A call that returns a value which does not fit returns the negated number of bytes that the
// message must have, and changes nothing.
//
// Memory: a reference keeps the region's buffer and the message alive until the attachment is
// closed, which happens at the latest when the environment ends.
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "args.h"
#include "module.h"
#include "sharedmap.h"
#include "status.h"

namespace offheap {

oh_sharedmap_options ReadMapOptions(Napi::Value value) {
  const Napi::Env env = value.Env();
  if (!value.IsObject()) ThrowType(env, "options must be an object");
  const auto object = value.As<Napi::Object>();
  const auto number = [&](const char* name) {
    const Napi::Value member = object.Get(name);
    if (!member.IsNumber()) ThrowType(env, std::string(name) + " must be a number");
    return member.As<Napi::Number>().DoubleValue();
  };
  oh_sharedmap_options options = {};
  options.struct_size = sizeof(options);
  options.max_bytes = static_cast<uint64_t>(ReadInteger(object.Get("maxBytes"), "maxBytes"));
  options.ttl = number("ttl");
  options.key = ReadU32(object.Get("key"), "key");
  options.value = ReadU32(object.Get("value"), "value");
  options.policy = ReadU32(object.Get("policy"), "policy");
  options.shards = ReadU32(object.Get("shards"), "shards");
  const auto flag = [&](const char* name) {
    decltype(options.reject) set;
    set = ReadBool(object.Get(name), name);
    return set;
  };
  options.reject = flag("reject");
  options.seeded = flag("seeded");
  options.seeds[0] = ReadU32(object.Get("seed0"), "seed0");
  options.seeds[1] = ReadU32(object.Get("seed1"), "seed1");
  return options;
}

namespace {

constexpr size_t kPayload = 64;

struct Attachment {
  napi_env env = nullptr;
  oh_sharedmap* map = nullptr;
  Napi::Reference<Napi::Value> region;
  Napi::Reference<Napi::Value> message_reference;
  uint8_t* message = nullptr;
  size_t capacity = 0;
  size_t key_width = 0;    // 0 for text and bytes
  size_t value_width = 0;  // 0 for values of variable size

  ~Attachment() { oh_sharedmap_close(map); }
};

// The attachments of this thread. Each environment uses its own.
thread_local std::vector<std::unique_ptr<Attachment>> attachments;

void CloseAll(void* data) {
  const auto env = static_cast<napi_env>(data);
  for (auto& attachment : attachments) {
    if (attachment && attachment->env == env) {
      // The references end with the environment.
      attachment->region.SuppressDestruct();
      attachment->message_reference.SuppressDestruct();
      attachment.reset();
    }
  }
}

Attachment& Find(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t id = info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : UINT32_MAX;
  if (id >= attachments.size() || !attachments[id] || attachments[id]->env != env) {
    throw Napi::Error(env, MakeError(env, OH_ERR_CLOSED, "the attachment of the map was closed"));
  }
  return *attachments[id];
}

uint32_t Word(const Attachment& at, size_t index) {
  uint32_t word;
  std::memcpy(&word, at.message + index * 4, 4);
  return word;
}

double Double(const Attachment& at, size_t index) {
  double value;
  std::memcpy(&value, at.message + index * 8, 8);
  return value;
}

void PutWord(Attachment& at, size_t index, uint32_t word) { std::memcpy(at.message + index * 4, &word, 4); }
void PutDouble(Attachment& at, size_t index, double value) { std::memcpy(at.message + index * 8, &value, 8); }

size_t Padded(size_t length) { return (length + 7) & ~static_cast<size_t>(7); }

struct Piece {
  const uint8_t* data;
  size_t length;
};

// The key in a message.
Piece Key(Napi::Env env, const Attachment& at) {
  const size_t length = at.key_width != 0 ? at.key_width : Word(at, 0) >> 2;
  if (length > at.capacity - kPayload) ThrowRange(env, "the key exceeds the message");
  return {at.message + kPayload, length};
}

// The value in a message, after `offset` bytes.
Piece Value(Napi::Env env, const Attachment& at, size_t offset) {
  const size_t length = at.value_width != 0 ? at.value_width : Word(at, 1) >> 2;
  const size_t start = kPayload + Padded(offset);
  if (start > at.capacity || length > at.capacity - start) ThrowRange(env, "the value exceeds the message");
  return {at.message + start, length};
}

oh_sharedmap_write Options(Napi::Env env, const Attachment& at, uint32_t mode) {
  oh_sharedmap_write options = {};
  options.struct_size = sizeof(options);
  options.mode = mode;
  options.expiry = Word(at, 3);
  options.expires_at = Double(at, 2);
  options.value_type = Word(at, 2);
  const double version = Double(at, 3);
  if (!(version >= 0 && version <= kMaxSafeInteger)) ThrowRange(env, "invalid version");
  options.version = static_cast<uint64_t>(version);
  return options;
}

void PutEntry(Attachment& at, const oh_sharedmap_entry& entry) {
  PutDouble(at, 4, static_cast<double>(entry.version));
  PutDouble(at, 5, entry.expires_at);
  PutDouble(at, 6, static_cast<double>(entry.bytes));
  PutWord(at, 14, entry.value_head);
  PutWord(at, 15, entry.value_type);
}

Napi::Value Number(Napi::Env env, double value) { return Napi::Number::New(env, value); }

// 1 if found, 0 if not, or the negated size that the message needs.
Napi::Value Result(Napi::Env env, Attachment& at, bool found, const oh_sharedmap_entry& entry) {
  if (!found) return Number(env, 0);
  if (entry.value_length > at.capacity - kPayload) {
    return Number(env, -static_cast<double>(entry.value_length + kPayload));
  }
  PutEntry(at, entry);
  return Number(env, 1);
}

Napi::Value RegionSize(const Napi::CallbackInfo& info) {
  const oh_sharedmap_options options = ReadMapOptions(info[0]);
  uint64_t size = 0;
  Check(info.Env(), oh_sharedmap_region_size(&options, &size));
  return Number(info.Env(), static_cast<double>(size));
}

void Init(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const oh_sharedmap_options options = ReadMapOptions(info[1]);
  Check(info.Env(), oh_sharedmap_init(bytes.data, bytes.length, &options));
}

void SetMessage(Attachment& at, Napi::Value value) {
  const Bytes message = ReadBytes(value, "message");
  if (message.length < kPayload) ThrowRange(value.Env(), "the message is too short");
  at.message_reference = Napi::Reference<Napi::Value>::New(value, 1);
  at.message = message.data;
  at.capacity = message.length;
}

Napi::Value Attach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "bytes");
  auto at = std::make_unique<Attachment>();
  at->env = env;
  SetMessage(*at, info[1]);
  const bool discard = ReadBool(info[2], "discard");
  Check(env, oh_binding_sharedmap_attach(bytes.data, bytes.length, discard, &at->map));
  uint32_t key = 0;
  uint32_t value = 0;
  Check(env, oh_sharedmap_types(at->map, &key, &value));
  at->key_width = key == OH_TYPE_STRING || key == OH_TYPE_BYTES ? 0 : oh_type_width(key);
  const bool is_plain = value <= OH_TYPE_BOOL;
  at->value_width = is_plain ? oh_type_width(value) : 0;
  at->region = Napi::Reference<Napi::Value>::New(info[0], 1);
  bool is_first = true;
  size_t id = attachments.size();
  for (size_t i = 0; i < attachments.size(); i++) {
    if (!attachments[i]) {
      id = i;
    } else if (attachments[i]->env == env) {
      is_first = false;
    }
  }
  // A hook that is added twice would end the process.
  if (is_first) {
    napi_remove_env_cleanup_hook(env, CloseAll, env);
    napi_add_env_cleanup_hook(env, CloseAll, env);
  }
  if (id == attachments.size()) {
    attachments.push_back(std::move(at));
  } else {
    attachments[id] = std::move(at);
  }
  return Number(env, static_cast<double>(id));
}

Napi::Value Slot(const Napi::CallbackInfo& info) {
  uint32_t slot = 0;
  Check(info.Env(), oh_sharedmap_slot(Find(info).map, &slot));
  return Number(info.Env(), slot);
}

void Close(const Napi::CallbackInfo& info) {
  Find(info);
  attachments[info[0].As<Napi::Number>().Uint32Value()].reset();
}

void Message(const Napi::CallbackInfo& info) { SetMessage(Find(info), info[1]); }

Napi::Value Get(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  oh_sharedmap_entry entry = {};
  bool found = false;
  Check(env, oh_sharedmap_get(at.map, key.data, key.length, info[1].As<Napi::Boolean>(),
                              at.message + kPayload, at.capacity - kPayload, &entry, &found));
  return Result(env, at, found, entry);
}

Napi::Value GetByHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  oh_sharedmap_entry entry = {};
  bool found = false;
  Check(env, oh_sharedmap_get_by_handle(at.map, ReadInteger(info[1], "handle"), at.message + kPayload,
                                        at.capacity - kPayload, &entry, &found));
  return Result(env, at, found, entry);
}

Napi::Value Take(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  oh_sharedmap_entry entry = {};
  bool found = false;
  Check(env, oh_sharedmap_take(at.map, key.data, key.length, at.message + kPayload, at.capacity - kPayload,
                               &entry, &found));
  return Result(env, at, found, entry);
}

// Bit 0: stored. Bit 1: the key existed.
Napi::Value Written(Napi::Env env, Attachment& at, const oh_sharedmap_written& written) {
  PutDouble(at, 4, static_cast<double>(written.version));
  return Number(env, (written.stored ? 1 : 0) + (written.existed ? 2 : 0));
}

Napi::Value Set(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  const Piece value = Value(env, at, key.length);
  const oh_sharedmap_write options = Options(env, at, info[1].As<Napi::Number>().Uint32Value());
  oh_sharedmap_written written = {};
  Check(env, oh_sharedmap_set(at.map, key.data, key.length, value.data, value.length, &options, &written));
  return Written(env, at, written);
}

Napi::Value SetByHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece value = Value(env, at, 0);
  const oh_sharedmap_write options = Options(env, at, OH_SHAREDMAP_SET);
  oh_sharedmap_written written = {};
  Check(env, oh_sharedmap_set_by_handle(at.map, ReadInteger(info[1], "handle"), value.data, value.length,
                                        &options, &written));
  return Written(env, at, written);
}

Napi::Value Delete(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  bool removed = false;
  Check(env, oh_sharedmap_remove(at.map, key.data, key.length, &removed));
  return Number(env, removed ? 1 : 0);
}

Napi::Value DeleteByHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  bool removed = false;
  Check(env, oh_sharedmap_remove_by_handle(Find(info).map, ReadInteger(info[1], "handle"), &removed));
  return Number(env, removed ? 1 : 0);
}

Napi::Value HandleOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  uint64_t handle = 0;
  Check(env, oh_sharedmap_handle_of(at.map, key.data, key.length, &handle));
  return Number(env, static_cast<double>(handle));
}

// The length of the key + 1, written from byte 64 on; 0 if the handle is stale.
Napi::Value KeyByHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  bool found = false;
  size_t length = 0;
  const size_t capacity = at.capacity - kPayload;
  Check(env, oh_sharedmap_key_by_handle(at.map, ReadInteger(info[1], "handle"), at.message + kPayload,
                                        capacity, &length, &found));
  if (!found) return Number(env, 0);
  if (length > capacity) return Number(env, -static_cast<double>(length + kPayload));
  return Number(env, static_cast<double>(length + 1));
}

// Adds the double at byte 16, and writes the sum to byte 32.
void Increment(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  double sum = 0;
  Check(env, oh_sharedmap_increment(at.map, key.data, key.length, Double(at, 2), &sum));
  PutDouble(at, 4, sum);
}

// As Increment, for 64-bit integers.
void IncrementInteger(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  int64_t by;
  std::memcpy(&by, at.message + 16, 8);
  int64_t sum = 0;
  Check(env, oh_sharedmap_increment_integer(at.map, key.data, key.length, by, &sum));
  std::memcpy(at.message + 32, &sum, 8);
}

Napi::Value Touch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  bool found = false;
  Check(env, oh_sharedmap_touch(at.map, key.data, key.length, Double(at, 2), &found));
  return Number(env, found ? 1 : 0);
}

// The cursor is the double at byte 16, and becomes the next one; the bytes written are the double
// at byte 32. Returns the number of entries, or the negated size that the message needs.
Napi::Value Scan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const double given = Double(at, 2);
  if (!(given >= 0 && given <= kMaxSafeInteger && std::floor(given) == given))
    ThrowRange(env, "invalid cursor");
  auto cursor = static_cast<uint64_t>(given);
  size_t length = 0;
  size_t count = 0;
  const size_t capacity = at.capacity - kPayload;
  Check(env, oh_sharedmap_scan(at.map, &cursor, ReadBool(info[1], "values"), ReadSize(info[2], "limit"),
                               at.message + kPayload, capacity, &length, &count));
  if (length > capacity) return Number(env, -static_cast<double>(length + kPayload));
  PutDouble(at, 2, static_cast<double>(cursor));
  PutDouble(at, 4, static_cast<double>(length));
  return Number(env, static_cast<double>(count));
}

// Whether an entry of this size can be stored in the map.
Napi::Value Fits(const Napi::CallbackInfo& info) {
  bool fits = false;
  Check(info.Env(), oh_sharedmap_fits(Find(info).map, ReadSize(info[1], "key length"),
                                      ReadSize(info[2], "value length"), &fits));
  return Napi::Boolean::New(info.Env(), fits);
}

// The number of entries of a shard, written from byte 64 on, or the negated size that the message
// needs.
Napi::Value Sample(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  size_t length = 0;
  size_t count = 0;
  const size_t capacity = at.capacity - kPayload;
  Check(env,
        oh_sharedmap_sample(at.map, ReadU32(info[1], "shard"), ReadU32(info[2], "seed"),
                            ReadSize(info[3], "limit"), at.message + kPayload, capacity, &length, &count));
  if (length > capacity) return Number(env, -static_cast<double>(length + kPayload));
  return Number(env, static_cast<double>(count));
}

// Evicts the key in the message if its entry has the version at byte 24.
Napi::Value Evict(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  const double version = Double(at, 3);
  if (!(version >= 0 && version <= kMaxSafeInteger)) ThrowRange(env, "invalid version");
  bool evicted = false;
  Check(env, oh_sharedmap_evict(at.map, key.data, key.length, static_cast<uint64_t>(version), &evicted));
  return Number(env, evicted ? 1 : 0);
}

// One of OH_SHAREDMAP_LEASE_... for the key in the message.
Napi::Value Lease(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  if (!info[1].IsNumber()) ThrowType(env, "duration must be a number");
  uint32_t lease = 0;
  Check(env,
        oh_sharedmap_lease(at.map, key.data, key.length, info[1].As<Napi::Number>().DoubleValue(), &lease));
  return Number(env, lease);
}

void EndLease(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const Piece key = Key(env, at);
  Check(env, oh_sharedmap_end_lease(at.map, key.data, key.length));
}

// The message contains from byte 64 on the keys that were read and the changes, in the order of
// their keys and values: each with six words (length of the key, length of the value or UINT32_MAX
// for a deletion or 2^32 - 2 for a key that was only read, type of the value, expiry), two doubles
// (version or time of expiry), and key and value, both padded to a multiple of 8 bytes.
Napi::Value Commit(const Napi::CallbackInfo& info) {
  constexpr uint32_t kDeletion = UINT32_MAX;
  constexpr uint32_t kRead = UINT32_MAX - 1;
  constexpr size_t kHeader = 32;
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  const size_t count = ReadSize(info[1], "count");
  std::vector<oh_sharedmap_read> reads;
  std::vector<oh_sharedmap_change> changes;
  size_t offset = kPayload;
  const auto take = [&](size_t length) {
    if (length > at.capacity || offset > at.capacity - length) ThrowRange(env, "the message is too short");
    const uint8_t* start = at.message + offset;
    offset += Padded(length);
    return start;
  };
  for (size_t i = 0; i < count; i++) {
    const uint8_t* header = take(kHeader);
    uint32_t words[4];
    double version;
    double expires_at;
    std::memcpy(words, header, sizeof(words));
    std::memcpy(&version, header + 16, 8);
    std::memcpy(&expires_at, header + 24, 8);
    const uint8_t* key = take(words[0]);
    if (words[1] == kRead) {
      if (!(version >= 0 && version <= kMaxSafeInteger)) ThrowRange(env, "invalid version");
      reads.push_back({key, words[0], static_cast<uint64_t>(version)});
      continue;
    }
    oh_sharedmap_change change = {};
    change.key = key;
    change.key_length = words[0];
    change.expires_at = expires_at;
    change.expiry = words[3];
    change.value_type = words[2];
    if (words[1] == kDeletion) {
      change.remove = true;
    } else {
      change.value = take(words[1]);
      change.value_length = words[1];
    }
    changes.push_back(change);
  }
  bool done = false;
  Check(env, oh_sharedmap_commit(at.map, reads.data(), reads.size(), changes.data(), changes.size(), &done));
  return Napi::Boolean::New(env, done);
}

void Subscribe(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_sharedmap_subscribe(Find(info).map, ReadU32(info[1], "events")));
}

// The bytes of events, from byte 64 of the message on, or the negated size that the message needs.
// The number of events that were overwritten is the double at byte 32.
Napi::Value Poll(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Attachment& at = Find(info);
  size_t length = 0;
  uint64_t dropped = 0;
  const size_t capacity = at.capacity - kPayload;
  Check(env, oh_sharedmap_poll(at.map, at.message + kPayload, capacity, &length, &dropped));
  if (length > capacity) return Number(env, -static_cast<double>(length + kPayload));
  PutDouble(at, 4, static_cast<double>(dropped));
  return Number(env, static_cast<double>(length));
}

void Clear(const Napi::CallbackInfo& info) { Check(info.Env(), oh_sharedmap_clear(Find(info).map)); }

void Validate(const Napi::CallbackInfo& info) { Check(info.Env(), oh_sharedmap_validate(Find(info).map)); }

Napi::Value Purge(const Napi::CallbackInfo& info) {
  size_t removed = 0;
  Check(info.Env(), oh_sharedmap_purge_expired(Find(info).map, ReadSize(info[1], "buckets"), &removed));
  return Number(info.Env(), static_cast<double>(removed));
}

Napi::Value Size(const Napi::CallbackInfo& info) {
  uint64_t count = 0;
  Check(info.Env(), oh_sharedmap_count(Find(info).map, &count));
  return Number(info.Env(), static_cast<double>(count));
}

// Fills a Float64Array with the members of oh_sharedmap_stats, in their order.
void Stats(const Napi::CallbackInfo& info) {
  const Attachment& at = Find(info);
  oh_sharedmap_stats stats = {};
  Check(info.Env(), oh_sharedmap_get_stats(at.map, &stats));
  static_assert(sizeof(stats) % sizeof(uint64_t) == 0);
  constexpr size_t kCount = sizeof(stats) / sizeof(uint64_t);
  const Elements<double> out = ReadElements<double>(info[1], "out");
  uint64_t members[kCount];
  std::memcpy(members, &stats, sizeof(stats));
  for (size_t i = 0; i < kCount && i < out.length; i++) out.data[i] = static_cast<double>(members[i]);
}

Napi::Value GetMany(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Attachment& at = Find(info);
  const Numbers keys = ReadNumbers(info[1], "keys");
  uint32_t key_type = 0;
  uint32_t value_type = 0;
  Check(env, oh_sharedmap_types(at.map, &key_type, &value_type));
  if (keys.type != key_type) ThrowType(env, "keys must have the map's key type");
  void* values = nullptr;
  if (!info[2].IsUndefined()) {
    const Numbers out = ReadNumbers(info[2], "values");
    const uint32_t expected = value_type == OH_TYPE_BOOL ? static_cast<uint32_t>(OH_TYPE_U8) : value_type;
    if (out.type != expected) ThrowType(env, "values must have the map's value type");
    if (out.length < keys.length) ThrowRange(env, "values is too short");
    values = out.data;
  }
  uint8_t* found = nullptr;
  if (!info[3].IsUndefined()) {
    const Elements<uint8_t> flags = ReadElements<uint8_t>(info[3], "found");
    if (flags.length < keys.length) ThrowRange(env, "found is too short");
    found = flags.data;
  }
  size_t count = 0;
  Check(env, oh_sharedmap_get_many(at.map, keys.data, keys.length, values, found, &count));
  return Number(env, static_cast<double>(count));
}

void SetMany(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Attachment& at = Find(info);
  const Numbers keys = ReadNumbers(info[1], "keys");
  const Numbers values = ReadNumbers(info[2], "values");
  uint32_t key_type = 0;
  uint32_t value_type = 0;
  Check(env, oh_sharedmap_types(at.map, &key_type, &value_type));
  const uint32_t expected = value_type == OH_TYPE_BOOL ? static_cast<uint32_t>(OH_TYPE_U8) : value_type;
  if (keys.type != key_type) ThrowType(env, "keys must have the map's key type");
  if (values.type != expected) ThrowType(env, "values must have the map's value type");
  if (values.length < keys.length) ThrowRange(env, "values is too short");
  size_t count = 0;
  Check(env, oh_sharedmap_set_many(at.map, keys.data, values.data, keys.length, &count));
}

Napi::Value DeleteMany(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Attachment& at = Find(info);
  const Numbers keys = ReadNumbers(info[1], "keys");
  uint32_t key_type = 0;
  uint32_t value_type = 0;
  Check(env, oh_sharedmap_types(at.map, &key_type, &value_type));
  if (keys.type != key_type) ThrowType(env, "keys must have the map's key type");
  size_t count = 0;
  Check(env, oh_sharedmap_remove_many(at.map, keys.data, keys.length, &count));
  return Number(env, static_cast<double>(count));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<RegionSize>(exports, "sharedmapRegionSize");
  Export<Init>(exports, "sharedmapInit");
  Export<Attach>(exports, "sharedmapAttach");
  Export<Slot>(exports, "sharedmapSlot");
  Export<Close>(exports, "sharedmapClose");
  Export<Message>(exports, "sharedmapMessage");
  Export<Get>(exports, "sharedmapGet");
  Export<GetByHandle>(exports, "sharedmapGetByHandle");
  Export<Take>(exports, "sharedmapTake");
  Export<Set>(exports, "sharedmapSet");
  Export<SetByHandle>(exports, "sharedmapSetByHandle");
  Export<Delete>(exports, "sharedmapDelete");
  Export<DeleteByHandle>(exports, "sharedmapDeleteByHandle");
  Export<HandleOf>(exports, "sharedmapHandleOf");
  Export<KeyByHandle>(exports, "sharedmapKeyByHandle");
  Export<Increment>(exports, "sharedmapIncrement");
  Export<IncrementInteger>(exports, "sharedmapIncrementInteger");
  Export<Touch>(exports, "sharedmapTouch");
  Export<Scan>(exports, "sharedmapScan");
  Export<Fits>(exports, "sharedmapFits");
  Export<Sample>(exports, "sharedmapSample");
  Export<Evict>(exports, "sharedmapEvict");
  Export<Lease>(exports, "sharedmapLease");
  Export<EndLease>(exports, "sharedmapEndLease");
  Export<Commit>(exports, "sharedmapCommit");
  Export<Subscribe>(exports, "sharedmapSubscribe");
  Export<Poll>(exports, "sharedmapPoll");
  Export<Clear>(exports, "sharedmapClear");
  Export<Validate>(exports, "sharedmapValidate");
  Export<Purge>(exports, "sharedmapPurge");
  Export<Size>(exports, "sharedmapSize");
  Export<Stats>(exports, "sharedmapStats");
  Export<GetMany>(exports, "sharedmapGetMany");
  Export<SetMany>(exports, "sharedmapSetMany");
  Export<DeleteMany>(exports, "sharedmapDeleteMany");
}

}  // namespace offheap
