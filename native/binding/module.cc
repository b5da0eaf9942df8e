// The addon: free functions over offheap.h, no classes and no state but the error factory.
//
// Every file here converts arguments (args.h), calls the C ABI, and turns a status into an error
// (status.h). It holds no algorithms. To add a module: write <module>.cc with an Init<Module>,
// declare it in module.h, call it below, and add the functions to NativeBinding in src/native.ts.
//
// Init runs once for each environment (the main thread, each worker), so it may not touch globals.
#include "module.h"

#include "status.h"

namespace offheap {

namespace {

Napi::Value Version(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), oh_version()); }

Napi::Object Init(Napi::Env, Napi::Object exports) {
  Export<SetErrorFactory>(exports, "setErrorFactory");
  Export<Version>(exports, "version");
  InitBitVector(exports);
  InitBloomFilter(exports);
  InitBumparena(exports);
  InitCompress(exports);
  InitCpu(exports);
  InitEliasFano(exports);
  InitFixedpool(exports);
  InitHashmap(exports);
  InitMappedFile(exports);
  InitLockFreePool(exports);
  InitMmapVector(exports);
  InitNuma(exports);
  InitNumaPool(exports);
  InitPackedInts(exports);
  InitProbe(exports);
  InitRankSelect(exports);
  InitRegion(exports);
  InitRollingHash(exports);
  InitSmallmap(exports);
  InitSuffixArray(exports);
  InitVector(exports);
  return exports;
}

NODE_API_MODULE(offheap, Init)

}  // namespace

}  // namespace offheap
