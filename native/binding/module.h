// The registration of functions: each file of the binding adds its own to the exports of the addon.
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

// The registration of one file. The constructors run while the addon is loaded, before the first
// Init and on one thread. After that, the list is only read.
class Module {
 public:
  using Function = void (*)(Napi::Object exports);

  explicit Module(Function init) : init_(init), next_(first_) { first_ = this; }

  static void InitAll(Napi::Object exports) {
    for (const Module* module = first_; module != nullptr; module = module->next_) module->init_(exports);
  }

 private:
  Function init_;
  const Module* next_;
  static inline const Module* first_ = nullptr;
};

}  // namespace offheap

// Defines the function that exports the functions of a file, and registers it. No list has to name
// the file: `OFFHEAP_MODULE(exports) { Export<Alloc>(exports, "fixedpoolAlloc"); }`, once in
// each file.
#define OFFHEAP_MODULE(exports)                    \
  static void InitModule(Napi::Object exports);    \
  static const Module registered_init(InitModule); \
  static void InitModule(Napi::Object exports)
