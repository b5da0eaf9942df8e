// Construction and validation of suffix arrays. TypeScript reads them
// (src/compress/suffix-array.ts).
//
// `bytes` is a view of the region, which already contains the text.
#include "args.h"
#include "background.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

void Build(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const size_t length = ReadSize(info[1], "length");
  bool finished = false;
  Check(info.Env(), oh_suffixarray_build_in_place(bytes.data, bytes.length, length, nullptr, &finished));
}

Napi::Value BuildAsync(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const size_t length = ReadSize(info[1], "length");
  oh_control* const control = ReadControl(info[2]);
  return RunInBackground(
      info.Env(), "offheap.suffixes", {info[0], info[2]}, [bytes, length, control](bool* finished) {
        return oh_suffixarray_build_in_place(bytes.data, bytes.length, length, control, finished);
      });
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_suffixarray_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Build>(exports, "suffixarrayBuild");
  Export<BuildAsync>(exports, "suffixarrayBuildAsync");
  Export<Validate>(exports, "suffixarrayValidate");
}

}  // namespace offheap
