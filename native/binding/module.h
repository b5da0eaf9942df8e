// What module.cc calls: one Init for each file of the binding.
#pragma once

#include <napi.h>

namespace offheap {

// Adds a free function to the exports. The callback is a template argument, so node-addon-api
// allocates nothing for it.
template <Napi::Value (*callback)(const Napi::CallbackInfo&)>
void Export(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<callback>(exports.Env(), name));
}
template <void (*callback)(const Napi::CallbackInfo&)>
void Export(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<callback>(exports.Env(), name));
}

void InitBitVector(Napi::Object exports);
void InitBloomFilter(Napi::Object exports);
void InitBumparena(Napi::Object exports);
void InitCompress(Napi::Object exports);
void InitCpu(Napi::Object exports);
void InitEliasFano(Napi::Object exports);
void InitFixedpool(Napi::Object exports);
void InitHashmap(Napi::Object exports);
void InitMappedFile(Napi::Object exports);
void InitLockFreePool(Napi::Object exports);
void InitMmapVector(Napi::Object exports);
void InitNuma(Napi::Object exports);
void InitNumaPool(Napi::Object exports);
void InitPackedInts(Napi::Object exports);
void InitProbe(Napi::Object exports);
void InitRankSelect(Napi::Object exports);
void InitRegion(Napi::Object exports);
void InitRollingHash(Napi::Object exports);
void InitSmallmap(Napi::Object exports);
void InitSuffixArray(Napi::Object exports);
void InitVector(Napi::Object exports);

}  // namespace offheap
