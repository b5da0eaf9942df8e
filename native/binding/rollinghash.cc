// The search for cuts in many bytes. TypeScript (src/compress/rolling-hash.ts) keeps the window.
#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// Writes to `out` the end of the search, the hash at that position, and whether it is a cut.
void Scan(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const size_t window = ReadSize(info[1], "window");
  const uint32_t hash = ReadU32(info[2], "hash");
  const uint32_t bits = ReadU32(info[3], "bits");
  const Elements<double> out = ReadElements<double>(info[4], "out");
  if (out.length < 3) ThrowRange(info.Env(), "out must have at least 3 elements");
  oh_rollinghash_place place = {};
  Check(info.Env(), oh_rollinghash_scan(bytes.data, bytes.length, window, hash, bits, &place));
  out.data[0] = static_cast<double>(place.end);
  out.data[1] = place.hash;
  out.data[2] = place.is_cut ? 1 : 0;
}

}  // namespace

OFFHEAP_MODULE(exports) { Export<Scan>(exports, "rollinghashScan"); }

}  // namespace offheap
