// NumaPool regions: initialization, placement on nodes, validation, and the node of this thread.
// Also alloc and free, which TypeScript (src/pools/) implements too, for the tests that compare the
// two implementations on the same bytes.
#include <memory>

#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct Close {
  void operator()(oh_numapool* pool) const { oh_numapool_close(pool); }
};
using Pool = std::unique_ptr<oh_numapool, Close>;

Pool Attach(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  oh_numapool* pool = nullptr;
  Check(info.Env(), oh_numapool_attach(bytes.data, bytes.length, &pool));
  return Pool(pool);
}

// (policy, nodes, capacity, zeroOnFree, guards), from argument `first` on.
oh_numapool_options ReadOptions(const Napi::CallbackInfo& info, size_t first) {
  oh_numapool_options options = {};
  options.struct_size = sizeof options;
  options.policy = ReadU32(info[first], "policy");
  const Elements<uint32_t> nodes = ReadElements<uint32_t>(info[first + 1], "nodes");
  options.nodes = nodes.data;
  options.node_count = nodes.length;
  options.capacity = ReadInteger(info[first + 2], "capacity");
  options.zero_on_free = ReadBool(info[first + 3], "zeroOnFree");
  options.guards = ReadBool(info[first + 4], "guards");
  return options;
}

Napi::Value Length(const Napi::CallbackInfo& info) {
  const oh_numapool_options options = ReadOptions(info, 0);
  uint64_t length = 0;
  Check(info.Env(), oh_numapool_region_size(&options, &length));
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

// The bytes are new and therefore zeros. Writing zeros would touch pages before they are placed.
Napi::Value Init(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const oh_numapool_options options = ReadOptions(info, 1);
  Check(info.Env(), oh_numapool_init(bytes.data, bytes.length, &options, true));
  return info.Env().Undefined();
}

Napi::Value Place(const Napi::CallbackInfo& info) {
  const Pool pool = Attach(info);
  Check(info.Env(), oh_numapool_place(pool.get(), ReadBool(info[1], "populate")));
  return info.Env().Undefined();
}

Napi::Value Near(const Napi::CallbackInfo& info) {
  const Pool pool = Attach(info);
  uint32_t near = 0;
  Check(info.Env(), oh_numapool_near(pool.get(), &near));
  return Napi::Number::New(info.Env(), near);
}

Napi::Value Alloc(const Napi::CallbackInfo& info) {
  const Pool pool = Attach(info);
  uint64_t offset = 0;
  Check(info.Env(), oh_numapool_alloc(pool.get(), ReadInteger(info[1], "size"), &offset));
  return Napi::Number::New(info.Env(), static_cast<double>(offset));
}

Napi::Value Free(const Napi::CallbackInfo& info) {
  const Pool pool = Attach(info);
  Check(info.Env(), oh_numapool_free(pool.get(), ReadInteger(info[1], "offset")));
  return info.Env().Undefined();
}

Napi::Value Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_numapool_validate(bytes.data, bytes.length));
  return info.Env().Undefined();
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Length>(exports, "numapoolRegionSize");
  Export<Init>(exports, "numapoolInit");
  Export<Place>(exports, "numapoolPlace");
  Export<Near>(exports, "numapoolNear");
  Export<Alloc>(exports, "numapoolAlloc");
  Export<Free>(exports, "numapoolFree");
  Export<Validate>(exports, "numapoolValidate");
}

}  // namespace offheap
