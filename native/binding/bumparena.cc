// BumpArena regions: validation, and the operations that TypeScript (src/pools/) implements too,
// for the tests that compare the two implementations on the same bytes.
#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

Napi::Value Alloc(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t size = ReadInteger(info[1], "size");
  const uint32_t align = ReadU32(info[2], "align");
  uint64_t offset = 0;
  Check(info.Env(), oh_bumparena_alloc(bytes.data, bytes.length, size, align, &offset));
  return Napi::Number::New(info.Env(), static_cast<double>(offset));
}

Napi::Value Free(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_bumparena_free(bytes.data, bytes.length, ReadInteger(info[1], "offset")));
  return info.Env().Undefined();
}

Napi::Value Begin(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "bytes");
  oh_bumparena_mark mark;
  Check(env, oh_bumparena_begin(bytes.data, bytes.length, &mark));
  const uint32_t fields[] = {mark.top, mark.last, mark.blocks, mark.resets, mark.floor};
  Napi::Uint32Array out = Napi::Uint32Array::New(env, 5);
  for (uint32_t i = 0; i < 5; i++) out[i] = fields[i];
  return out;
}

Napi::Value Release(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Elements<uint32_t> fields = ReadElements<uint32_t>(info[1], "mark");
  if (fields.length != 5) ThrowRange(info.Env(), "mark must have 5 elements");
  const oh_bumparena_mark mark = {fields.data[0], fields.data[1], fields.data[2], fields.data[3],
                                  fields.data[4]};
  Check(info.Env(), oh_bumparena_release(bytes.data, bytes.length, &mark));
  return info.Env().Undefined();
}

Napi::Value Reset(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_bumparena_reset(bytes.data, bytes.length));
  return info.Env().Undefined();
}

Napi::Value Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_bumparena_validate(bytes.data, bytes.length));
  return info.Env().Undefined();
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Alloc>(exports, "bumparenaAlloc");
  Export<Free>(exports, "bumparenaFree");
  Export<Begin>(exports, "bumparenaBegin");
  Export<Release>(exports, "bumparenaRelease");
  Export<Reset>(exports, "bumparenaReset");
  Export<Validate>(exports, "bumparenaValidate");
}

}  // namespace offheap
