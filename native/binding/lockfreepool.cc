// LockFreePool and ThreadLocalPool: the operations that must not be interrupted (chunks, caches,
// slots) and the rare ones (guards, counts). Single blocks are allocated and freed in TypeScript
// (src/pools/).
//
// A handle is an External. Node runs its finalizer after the pool object was collected, and when
// its thread ends, terminated or not. The finalizer returns the blocks of the handle to the pool.
// Until then the External keeps the buffer alive.
#include <cmath>

#include "args.h"
#include "handle.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct PoolHandle {
  static constexpr napi_type_tag kTag = {0x81d40c6fe23b579a, 0x5ce9b2074f8a163d};
  static constexpr const char* kName = "pool handle";

  Napi::Reference<Napi::Value> bytes;
  // Exactly one of the two is not null.
  oh_lockfreepool* pool = nullptr;
  oh_threadlocalpool* local = nullptr;

  PoolHandle() = default;
  PoolHandle(const PoolHandle&) = delete;
  PoolHandle& operator=(const PoolHandle&) = delete;

  // Runs without effect after Close().
  ~PoolHandle() {
    oh_lockfreepool_abandon(pool);
    oh_threadlocalpool_abandon(local);
  }

  void Close() {
    oh_lockfreepool_close(pool);
    oh_threadlocalpool_close(local);
    pool = nullptr;
    local = nullptr;
  }

  const oh_lockfreepool* Pool() const { return local != nullptr ? oh_threadlocalpool_handle(local) : pool; }
};

PoolHandle& ReadPool(const Napi::CallbackInfo& info) { return *ReadHandle<PoolHandle>(info[0]); }

uint64_t ReadOffset(Napi::Env env, double offset) {
  if (!(offset >= 0 && offset <= kMaxSafeInteger && std::trunc(offset) == offset)) {
    ThrowRange(env, "an offset must be an integer from 0 to 9007199254740991");
  }
  return static_cast<uint64_t>(offset);
}

oh_lockfreepool_options ReadOptions(const Napi::CallbackInfo& info, size_t first) {
  oh_lockfreepool_options options = {};
  options.struct_size = sizeof options;
  options.capacity = ReadInteger(info[first], "capacityBytes");
  options.chunk = ReadInteger(info[first + 1], "chunkBytes");
  options.smallest = ReadInteger(info[first + 2], "minBlockBytes");
  options.handles = ReadU32(info[first + 3], "handles");
  const uint32_t flags = ReadU32(info[first + 4], "flags");
  options.zero_on_free = (flags & 1) != 0;
  options.guards = (flags & 2) != 0;
  options.compact = (flags & 4) != 0;
  return options;
}

Napi::Value Length(const Napi::CallbackInfo& info) {
  const oh_lockfreepool_options options = ReadOptions(info, 0);
  uint64_t length = 0;
  Check(info.Env(), oh_lockfreepool_region_size(&options, &length));
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

void InitPool(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const oh_lockfreepool_options options = ReadOptions(info, 1);
  Check(info.Env(), oh_lockfreepool_init(bytes.data, bytes.length, &options, true));
}

Napi::Value Attach(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const bool cached = !info[1].IsUndefined();
  const uint64_t cache = cached ? ReadInteger(info[1], "cacheBytes") : 0;
  return NewHandle<PoolHandle>(info.Env(), [&](PoolHandle& made) {
    Check(info.Env(), cached ? oh_threadlocalpool_attach(bytes.data, bytes.length, cache, &made.local)
                             : oh_lockfreepool_attach(bytes.data, bytes.length, &made.pool));
    made.bytes = Napi::Reference<Napi::Value>::New(info[0], 1);
  });
}

void Close(const Napi::CallbackInfo& info) {
  Shared<PoolHandle>& shared = ReadShared<PoolHandle>(info[0]);
  if (shared != nullptr) shared->Close();
  shared.reset();
}

// The fields of oh_lockfreepool_layout in order, then the largest request that the cache serves.
void LayoutOf(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  const Elements<double> out = ReadElements<double>(info[1], "out");
  oh_lockfreepool_layout layout = {};
  Check(info.Env(), oh_lockfreepool_get_layout(handle.Pool(), &layout));
  uint64_t largest = 0;
  if (handle.local != nullptr) Check(info.Env(), oh_threadlocalpool_largest(handle.local, &largest));
  const double numbers[] = {static_cast<double>(layout.data),      static_cast<double>(layout.capacity),
                            static_cast<double>(layout.options),   static_cast<double>(layout.chunk_shift),
                            static_cast<double>(layout.min_shift), static_cast<double>(layout.group_shift),
                            static_cast<double>(layout.slot),      static_cast<double>(layout.slot_at),
                            static_cast<double>(layout.chunks_at), static_cast<double>(layout.hints_at),
                            static_cast<double>(layout.groups_at), static_cast<double>(layout.caches_at),
                            static_cast<double>(layout.words),     static_cast<double>(largest)};
  for (size_t i = 0; i < out.length && i < sizeof numbers / sizeof *numbers; i++) out.data[i] = numbers[i];
}

oh_status AllocOne(const PoolHandle& handle, uint64_t size, uint64_t* offset) {
  return handle.local != nullptr ? oh_threadlocalpool_alloc(handle.local, size, offset)
                                 : oh_lockfreepool_alloc(handle.pool, size, offset);
}

oh_status FreeOne(const PoolHandle& handle, uint64_t offset) {
  return handle.local != nullptr ? oh_threadlocalpool_free(handle.local, offset)
                                 : oh_lockfreepool_free(handle.pool, offset);
}

Napi::Value Alloc(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  uint64_t offset = 0;
  const oh_status status = AllocOne(handle, ReadInteger(info[1], "bytes"), &offset);
  if (status == OH_ERR_FULL) return Napi::Number::New(info.Env(), -1);
  Check(info.Env(), status);
  return Napi::Number::New(info.Env(), static_cast<double>(offset));
}

void Free(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  Check(info.Env(), FreeOne(handle, ReadInteger(info[1], "offset")));
}

Napi::Value Room(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  uint64_t room = 0;
  Check(info.Env(), oh_lockfreepool_room(handle.Pool(), ReadInteger(info[1], "offset"), &room));
  return Napi::Number::New(info.Env(), static_cast<double>(room));
}

Napi::Value AllocMany(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  const uint64_t size = ReadInteger(info[1], "size");
  const Elements<double> offsets = ReadElements<double>(info[2], "offsets");
  size_t count = 0;
  while (count < offsets.length) {
    uint64_t offset = 0;
    const oh_status status = AllocOne(handle, size, &offset);
    if (status == OH_ERR_FULL) break;
    Check(info.Env(), status);
    offsets.data[count++] = static_cast<double>(offset);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

void FreeMany(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  const Elements<double> offsets = ReadElements<double>(info[1], "offsets");
  for (size_t i = 0; i < offsets.length; i++) {
    Check(info.Env(), FreeOne(handle, ReadOffset(info.Env(), offsets.data[i])));
  }
}

// The fields of oh_lockfreepool_stats in order, then the number of cached bytes.
void StatsOf(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  const Elements<double> out = ReadElements<double>(info[1], "out");
  oh_lockfreepool_stats stats = {};
  Check(info.Env(), oh_lockfreepool_get_stats(handle.Pool(), &stats));
  uint64_t held = 0;
  if (handle.local != nullptr) Check(info.Env(), oh_threadlocalpool_held(handle.local, &held));
  const double numbers[] = {static_cast<double>(stats.capacity),
                            static_cast<double>(stats.used),
                            static_cast<double>(stats.cached),
                            static_cast<double>(stats.blocks),
                            static_cast<double>(stats.failures),
                            static_cast<double>(stats.handles),
                            static_cast<double>(held)};
  for (size_t i = 0; i < out.length && i < sizeof numbers / sizeof *numbers; i++) out.data[i] = numbers[i];
}

Napi::Value Suspects(const Napi::CallbackInfo& info) {
  const PoolHandle& handle = ReadPool(info);
  uint64_t offsets[1024];
  size_t count = 0;
  Check(info.Env(), oh_lockfreepool_suspects(handle.Pool(), offsets, 1024, &count));
  const auto result = Napi::Array::New(info.Env(), count);
  for (size_t i = 0; i < count && i < 1024; i++) {
    result.Set(static_cast<uint32_t>(i), static_cast<double>(offsets[i]));
  }
  return result;
}

void Flush(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_threadlocalpool_flush(ReadPool(info).local));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_lockfreepool_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Length>(exports, "lockfreepoolRegionSize");
  Export<InitPool>(exports, "lockfreepoolInit");
  Export<Attach>(exports, "lockfreepoolAttach");
  Export<Close>(exports, "lockfreepoolClose");
  Export<LayoutOf>(exports, "lockfreepoolLayout");
  Export<Alloc>(exports, "lockfreepoolAlloc");
  Export<Free>(exports, "lockfreepoolFree");
  Export<Room>(exports, "lockfreepoolRoom");
  Export<AllocMany>(exports, "lockfreepoolAllocMany");
  Export<FreeMany>(exports, "lockfreepoolFreeMany");
  Export<StatsOf>(exports, "lockfreepoolStats");
  Export<Suspects>(exports, "lockfreepoolSuspects");
  Export<Flush>(exports, "lockfreepoolFlush");
  Export<Validate>(exports, "lockfreepoolValidate");
}

}  // namespace offheap
