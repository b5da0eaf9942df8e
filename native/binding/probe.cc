// How native code sees a JavaScript view: whether it reaches the memory at all, and how it is
// aligned. The doctor reports it, because everything else rests on it.
#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

Napi::Value Probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "view");
  uint64_t sum = 0;
  // volatile, because another thread may write meanwhile.
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

// How many bytes after the view's first one the next multiple of an alignment is, which is a power
// of two.
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
