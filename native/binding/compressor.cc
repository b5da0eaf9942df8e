// Compression and decompression of single texts with a dictionary.
#include <cstdint>

#include "args.h"
#include "dictionary.h"
#include "handle.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// Whether the input overlaps the output: it may be a view of the buffer of an earlier result.
bool Overlap(const Bytes& bytes, const Bytes& out) {
  const auto a = reinterpret_cast<uintptr_t>(bytes.data);
  const auto b = reinterpret_cast<uintptr_t>(out.data);
  return a < b + out.length && b < a + bytes.length;
}

Napi::Value Compress(const Napi::CallbackInfo& info) {
  const oh_dictionary* const dictionary = ReadTrustedHandle<Dictionary>(info[0]).pointer;
  const uint32_t level = ReadU32(info[1], "level");
  const Bytes text = ReadBytes(info[2], "bytes");
  const Bytes out = ReadOutFrom(info[3], info[4]);
  if (out.length <= text.length || Overlap(text, out)) return Napi::Number::New(info.Env(), -1);
  size_t written = 0;
  Check(info.Env(), oh_compress(dictionary, level, text.data, text.length, out.data, out.length, &written));
  return Napi::Number::New(info.Env(), static_cast<double>(written));
}

Napi::Value Decompress(const Napi::CallbackInfo& info) {
  const oh_dictionary* const dictionary = ReadTrustedHandle<Dictionary>(info[0]).pointer;
  const Bytes bytes = ReadBytes(info[1], "bytes");
  const Bytes out = ReadOutFrom(info[2], info[3]);
  if (Overlap(bytes, out)) return Napi::Number::New(info.Env(), -1);
  size_t written = 0;
  const oh_status status =
      oh_decompress(dictionary, bytes.data, bytes.length, out.data, out.length, &written);
  return Written(info.Env(), status, written);
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Compress>(exports, "compress");
  Export<Decompress>(exports, "decompress");
}

}  // namespace offheap
