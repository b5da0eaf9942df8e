// The features of the processor, for cpu() and the doctor.
#include "module.h"
#include "offheap.h"

namespace offheap {

namespace {

struct Feature {
  uint32_t bit;
  const char* name;
};

constexpr Feature kFeatures[] = {
    {OH_CPU_SSE2, "sse2"},         {OH_CPU_SSE42, "sse4.2"},
    {OH_CPU_POPCNT, "popcnt"},     {OH_CPU_BMI2, "bmi2"},
    {OH_CPU_AVX2, "avx2"},         {OH_CPU_AVX512F, "avx512f"},
    {OH_CPU_AVX512BW, "avx512bw"}, {OH_CPU_AVX512VL, "avx512vl"},
    {OH_CPU_AVX512DQ, "avx512dq"}, {OH_CPU_AVX512VPOPCNTDQ, "avx512vpopcntdq"},
    {OH_CPU_NEON, "neon"},         {OH_CPU_CRC, "crc"},
};

Napi::Value CpuFeatures(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t found = oh_cpu_features();
  Napi::Array names = Napi::Array::New(env);
  uint32_t count = 0;
  for (const Feature& feature : kFeatures) {
    if ((found & feature.bit) != 0) names.Set(count++, feature.name);
  }
  return names;
}

Napi::Value CpuKernel(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), oh_cpu_kernel());
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<CpuFeatures>(exports, "cpuFeatures");
  Export<CpuKernel>(exports, "cpuKernel");
}

}  // namespace offheap
