// Many keys of a Bloom filter at once. Single keys are added and queried in TypeScript
// (src/compress/bloom-filter.ts).
//
// `bytes` is a view of the whole buffer that contains the region. A hashed key has two words.
#include "args.h"
#include "columns.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

struct Hashed {
  const oh_bloomfilter_hashed* keys;
  size_t count;
};

Hashed ReadHashed(Napi::Value value) {
  const Elements<uint32_t> words = ReadElements<uint32_t>(value, "keys");
  return {reinterpret_cast<const oh_bloomfilter_hashed*>(words.data), words.length / 2};
}

uint8_t* ReadResults(Napi::Value value, size_t count) {
  return static_cast<uint8_t*>(ReadColumn(value, "out", napi_uint8_array, count).data);
}

void AddNumbers(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers keys = ReadNumbers(info[1], "keys");
  Check(info.Env(), oh_bloomfilter_add_numbers(bytes.data, bytes.length, keys.data, keys.type, keys.length));
}

void HasNumbers(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Numbers keys = ReadNumbers(info[1], "keys");
  uint8_t* const out = ReadResults(info[2], keys.length);
  Check(info.Env(),
        oh_bloomfilter_has_numbers(bytes.data, bytes.length, keys.data, keys.type, keys.length, out));
}

void AddHashed(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Hashed hashed = ReadHashed(info[1]);
  Check(info.Env(), oh_bloomfilter_add_hashed(bytes.data, bytes.length, hashed.keys, hashed.count));
}

void HasHashed(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Hashed hashed = ReadHashed(info[1]);
  uint8_t* const out = ReadResults(info[2], hashed.count);
  Check(info.Env(), oh_bloomfilter_has_hashed(bytes.data, bytes.length, hashed.keys, hashed.count, out));
}

Napi::Value Ones(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  uint64_t ones = 0;
  Check(info.Env(), oh_bloomfilter_ones(bytes.data, bytes.length, &ones));
  return Napi::Number::New(info.Env(), static_cast<double>(ones));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_bloomfilter_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<AddNumbers>(exports, "bloomfilterAddNumbers");
  Export<HasNumbers>(exports, "bloomfilterHasNumbers");
  Export<AddHashed>(exports, "bloomfilterAddHashed");
  Export<HasHashed>(exports, "bloomfilterHasHashed");
  Export<Ones>(exports, "bloomfilterOnes");
  Export<Validate>(exports, "bloomfilterValidate");
}

}  // namespace offheap
