// Ranges and many bits at once. Single bits are read and written in TypeScript (src/succinct/).
//
// `bytes` is a view of the whole buffer that contains the region. Other arrays may have any numeric
// type.
#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

Napi::Value Number(const Napi::CallbackInfo& info, uint64_t value) {
  return Napi::Number::New(info.Env(), static_cast<double>(value));
}

void SetLength(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_bitvector_set_count(bytes.data, bytes.length, ReadInteger(info[1], "length")));
}

void SetCapacity(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_bitvector_set_capacity(bytes.data, bytes.length, ReadInteger(info[1], "capacity")));
}

Napi::Value LengthFor(const Napi::CallbackInfo& info) {
  const Numbers positions = ReadNumbers(info[0], "positions");
  uint64_t length = 0;
  Check(info.Env(), oh_bitvector_count_for(positions.data, positions.type, positions.length, &length));
  return Number(info, length);
}

void SetMany(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers positions = ReadNumbers(info[1], "positions");
  const bool bit = ReadBool(info[2], "bit");
  Check(info.Env(), oh_bitvector_set_many(bytes.data, bytes.length, positions.data, positions.type,
                                          positions.length, bit));
}

void Load(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Bytes from = ReadBytes(info[1], "from");
  Check(info.Env(), oh_bitvector_load(bytes.data, bytes.length, from.data, from.length));
}

Napi::Value Count(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t from = ReadInteger(info[1], "from");
  const uint64_t to = ReadInteger(info[2], "to");
  uint64_t count = 0;
  Check(info.Env(), oh_bitvector_count_ones(bytes.data, bytes.length, from, to, &count));
  return Number(info, count);
}

void Fill(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t from = ReadInteger(info[1], "from");
  const uint64_t to = ReadInteger(info[2], "to");
  Check(info.Env(), oh_bitvector_fill(bytes.data, bytes.length, from, to, ReadBool(info[3], "bit")));
}

void Invert(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t from = ReadInteger(info[1], "from");
  const uint64_t to = ReadInteger(info[2], "to");
  Check(info.Env(), oh_bitvector_invert(bytes.data, bytes.length, from, to));
}

void Combine(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t op = ReadU32(info[1], "op");
  const Bytes other = ReadBytes(info[2], "other");
  const uint64_t from = ReadInteger(info[3], "from");
  const uint64_t to = ReadInteger(info[4], "to");
  Check(info.Env(), oh_bitvector_combine(bytes.data, bytes.length, op, other.data, other.length, from, to));
}

// -1 if there is no such bit.
Napi::Value Next(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t from = ReadInteger(info[1], "from");
  const bool bit = ReadBool(info[2], "bit");
  uint64_t position = 0;
  Check(info.Env(), oh_bitvector_next(bytes.data, bytes.length, from, bit, &position));
  if (position == OH_BITVECTOR_NONE) return Napi::Number::New(info.Env(), -1);
  return Number(info, position);
}

Napi::Value Ones(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint64_t from = ReadInteger(info[1], "from");
  const Numbers out = ReadNumbers(info[2], "out");
  size_t written = 0;
  Check(info.Env(),
        oh_bitvector_ones(bytes.data, bytes.length, from, out.data, out.type, out.length, &written));
  return Number(info, written);
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_bitvector_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<SetLength>(exports, "bitvectorSetLength");
  Export<SetCapacity>(exports, "bitvectorSetCapacity");
  Export<LengthFor>(exports, "bitvectorLengthFor");
  Export<SetMany>(exports, "bitvectorSetMany");
  Export<Load>(exports, "bitvectorLoad");
  Export<Count>(exports, "bitvectorCount");
  Export<Fill>(exports, "bitvectorFill");
  Export<Invert>(exports, "bitvectorInvert");
  Export<Combine>(exports, "bitvectorCombine");
  Export<Next>(exports, "bitvectorNext");
  Export<Ones>(exports, "bitvectorOnes");
  Export<Validate>(exports, "bitvectorValidate");
}

}  // namespace offheap
