// The addon: free functions over offheap.h, without classes and without state except the error
// factory.
//
// Every file here converts arguments (args.h, columns.h, handle.h), calls the C ABI, and turns a
// status into an error (status.h). It contains no algorithms. To add a module, write <module>.cc
// with an OFFHEAP_MODULE (module.h), and declare its functions in src/native/<module>.ts. CMake
// finds the file.
//
// Init runs once for each environment (the main thread and each worker), so it must not change
// global variables.
#include "module.h"

#include "status.h"

namespace offheap {

namespace {

Napi::Value Version(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), oh_version()); }

Napi::Object Init(Napi::Env, Napi::Object exports) {
  Export<SetErrorFactory>(exports, "setErrorFactory");
  Export<Version>(exports, "version");
  Module::InitAll(exports);
  return exports;
}

NODE_API_MODULE(offheap, Init)

}  // namespace

}  // namespace offheap
