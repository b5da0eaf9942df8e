// Construction of packed integers, and reads of many of them. Single integers are read in
// TypeScript (src/succinct/).
//
// `bytes` is a view of the whole buffer that contains the region. Other arrays may have any numeric
// type.
#include "args.h"
#include "columns.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

Napi::Value Measure(const Napi::CallbackInfo& info) {
  const Numbers values = ReadNumbers(info[0], "values");
  uint32_t bits = 0;
  Check(info.Env(), oh_packedints_measure(values.data, values.type, values.length, &bits));
  return Napi::Number::New(info.Env(), bits);
}

void Init(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers values = ReadNumbers(info[1], "values");
  const uint32_t bits = ReadU32(info[2], "bits");
  const uint32_t flags = ReadBool(info[3], "bigint") ? OH_PACKEDINTS_BIGINT : 0;
  Check(info.Env(),
        oh_packedints_init(bytes.data, bytes.length, values.data, values.type, values.length, bits, flags));
}

void GetMany(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers indices = ReadNumbers(info[1], "indices");
  const Numbers out = ReadOut(info[2], indices.length);
  Check(info.Env(), oh_packedints_get_many(bytes.data, bytes.length, indices.data, indices.type,
                                           indices.length, out.data, out.type));
}

void Unpack(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t from = ReadInteger(info[1], "from");
  const Numbers out = ReadNumbers(info[2], "out");
  Check(info.Env(), oh_packedints_unpack(bytes.data, bytes.length, from, out.length, out.data, out.type));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_packedints_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Measure>(exports, "packedintsMeasure");
  Export<Init>(exports, "packedintsInit");
  Export<GetMany>(exports, "packedintsGetMany");
  Export<Unpack>(exports, "packedintsUnpack");
  Export<Validate>(exports, "packedintsValidate");
}

}  // namespace offheap
