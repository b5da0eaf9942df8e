// Construction of sorted integers, and queries for many of them. Single queries are implemented in
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

// The largest value, rounded to the nearest double.
Napi::Value Measure(const Napi::CallbackInfo& info) {
  const Numbers values = ReadNumbers(info[0], "values");
  uint64_t max = 0;
  Check(info.Env(), oh_eliasfano_measure(values.data, values.type, values.length, &max));
  return Napi::Number::New(info.Env(), static_cast<double>(max));
}

void Init(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers values = ReadNumbers(info[1], "values");
  const uint64_t max = ReadInteger(info[2], "max");
  Check(info.Env(),
        oh_eliasfano_init(bytes.data, bytes.length, values.data, values.type, values.length, max));
}

void GetMany(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers indices = ReadNumbers(info[1], "indices");
  const Numbers out = ReadOut(info[2], indices.length);
  Check(info.Env(), oh_eliasfano_get_many(bytes.data, bytes.length, indices.data, indices.type,
                                          indices.length, out.data, out.type));
}

void RankMany(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers values = ReadNumbers(info[1], "values");
  const Numbers out = ReadOut(info[2], values.length);
  Check(info.Env(), oh_eliasfano_rank_many(bytes.data, bytes.length, values.data, values.type, values.length,
                                           out.data, out.type));
}

void Unpack(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t from = ReadInteger(info[1], "from");
  const Numbers out = ReadNumbers(info[2], "out");
  Check(info.Env(), oh_eliasfano_unpack(bytes.data, bytes.length, from, out.length, out.data, out.type));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_eliasfano_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Measure>(exports, "eliasfanoMeasure");
  Export<Init>(exports, "eliasfanoInit");
  Export<GetMany>(exports, "eliasfanoGetMany");
  Export<RankMany>(exports, "eliasfanoRankMany");
  Export<Unpack>(exports, "eliasfanoUnpack");
  Export<Validate>(exports, "eliasfanoValidate");
}

}  // namespace offheap
