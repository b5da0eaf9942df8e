// Bulk and expensive calls on FixedPool regions. Single operations are implemented in TypeScript
// (src/pools/).
#include <cmath>
#include <memory>

#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct Close {
  void operator()(oh_fixedpool* pool) const { oh_fixedpool_close(pool); }
};
using Pool = std::unique_ptr<oh_fixedpool, Close>;

Pool Attach(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  oh_fixedpool* pool = nullptr;
  Check(info.Env(), oh_fixedpool_attach(bytes.data, bytes.length, &pool));
  return Pool(pool);
}

void CheckPool(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_fixedpool_check(bytes.data, bytes.length));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_fixedpool_validate(bytes.data, bytes.length));
}

Napi::Value AllocMany(const Napi::CallbackInfo& info) {
  const Pool pool = Attach(info);
  const uint64_t size = ReadInteger(info[1], "size");
  const Elements<double> offsets = ReadElements<double>(info[2], "offsets");
  size_t count = 0;
  while (count < offsets.length) {
    uint64_t offset = 0;
    const oh_status status = oh_fixedpool_alloc(pool.get(), size, &offset);
    if (status == OH_ERR_FULL) break;
    Check(info.Env(), status);
    offsets.data[count++] = static_cast<double>(offset);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

void FreeMany(const Napi::CallbackInfo& info) {
  const Pool pool = Attach(info);
  const Elements<double> offsets = ReadElements<double>(info[1], "offsets");
  for (size_t i = 0; i < offsets.length; i++) {
    const double offset = offsets.data[i];
    if (!(offset >= 0 && offset <= kMaxSafeInteger && std::trunc(offset) == offset)) {
      ThrowRange(info.Env(), "an offset must be an integer from 0 to 9007199254740991");
    }
    Check(info.Env(), oh_fixedpool_free(pool.get(), static_cast<uint64_t>(offset)));
  }
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<CheckPool>(exports, "fixedpoolCheck");
  Export<Validate>(exports, "fixedpoolValidate");
  Export<AllocMany>(exports, "fixedpoolAllocMany");
  Export<FreeMany>(exports, "fixedpoolFreeMany");
}

}  // namespace offheap
