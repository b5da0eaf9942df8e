// A JavaScript view as native code sees it: whether its memory is accessible, and its alignment.
// The doctor reports both, because all other functions depend on them.
#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

Napi::Value Probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "view");
  uint64_t sum = 0;
  // volatile, because another thread may write at the same time.
  const volatile uint8_t* data = bytes.data;
  for (size_t i = 0; i < bytes.length; i++) sum += data[i];
  size_t alignment = 1;
  const auto address = reinterpret_cast<uintptr_t>(bytes.data);
  while (alignment < 4096 && address % (alignment * 2) == 0) alignment *= 2;

  Napi::Object result = Napi::Object::New(env);
  result.Set("byteLength", static_cast<double>(bytes.length));
  result.Set("alignment", static_cast<double>(alignment));
  result.Set("sum", static_cast<double>(sum));
  return result;
}

// The distance in bytes from the first byte of the view to the next multiple of an alignment, which
// must be a power of two.
Napi::Value AlignmentGap(const Napi::CallbackInfo& info) {
  const auto address = reinterpret_cast<uintptr_t>(ReadBytes(info[0], "view").data);
  const uint32_t alignment = ReadU32(info[1], "alignment");
  if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
    ThrowRange(info.Env(), "alignment must be a power of two");
  }
  return Napi::Number::New(info.Env(), static_cast<double>((0 - address) & (alignment - uintptr_t{1})));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Probe>(exports, "probe");
  Export<AlignmentGap>(exports, "alignmentGap");
}

}  // namespace offheap
