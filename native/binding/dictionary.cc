// Dictionaries: training, opening, copying.
//
// A prepared dictionary is a native object with an External, which the class of src/compress/ keeps
// private.
#include "dictionary.h"

#include <cstring>

#include "args.h"
#include "background.h"
#include "handle.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// An empty handle for the result of training.
Napi::Value New(const Napi::CallbackInfo& info) {
  return NewHandle<Dictionary>(info.Env(), [](Dictionary&) {});
}

Napi::Value Train(const Napi::CallbackInfo& info) {
  const Shared<Dictionary> dictionary = ReadHandle<Dictionary>(info[0]);
  const Bytes text = ReadBytes(info[1], "text");
  const Elements<double> ends = ReadElements<double>(info[2], "ends");
  const size_t most = ReadSize(info[3], "maxBytes");
  oh_control* control = ReadControl(info[4]);
  return RunInBackground(info.Env(), "offheap.train", {info[1], info[2], info[4]},
                         [dictionary, text, ends, most, control](bool* finished) {
                           oh_dictionary* made = nullptr;
                           const oh_status status = oh_dictionary_train(text.data, text.length, ends.data,
                                                                        ends.length, most, control, &made);
                           if (status == OH_OK && made != nullptr) {
                             dictionary->pointer = made;
                             *finished = true;
                           }
                           return status;
                         });
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  return NewHandle<Dictionary>(info.Env(), [&](Dictionary& made) {
    Check(info.Env(), oh_dictionary_open(bytes.data, bytes.length, &made.pointer));
  });
}

oh_dictionary_info Describe(const Napi::CallbackInfo& info) {
  oh_dictionary_info described = {};
  Check(info.Env(), oh_dictionary_get_info(ReadHandle<Dictionary>(info[0])->pointer, &described));
  return described;
}

Napi::Value Length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Describe(info).region_size));
}

void Copy(const Napi::CallbackInfo& info) {
  const oh_dictionary_info described = Describe(info);
  const Bytes out = ReadBytes(info[1], "out");
  if (out.length < described.region_size) ThrowRange(info.Env(), "out is too short for the dictionary");
  std::memcpy(out.data, described.bytes, described.region_size);
}

Napi::Value Stats(const Napi::CallbackInfo& info) {
  const oh_dictionary_info described = Describe(info);
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("identity", Napi::BigInt::New(info.Env(), described.identity));
  stats.Set("content", static_cast<double>(described.content));
  stats.Set("phrases", static_cast<double>(described.phrases));
  stats.Set("contexts", static_cast<double>(described.contexts));
  return stats;
}

void Validate(const Napi::CallbackInfo& info) {
  Check(info.Env(), oh_dictionary_validate(ReadHandle<Dictionary>(info[0])->pointer));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<New>(exports, "dictionaryNew");
  Export<Train>(exports, "dictionaryTrain");
  Export<Open>(exports, "dictionaryOpen");
  Export<Length>(exports, "dictionaryRegionSize");
  Export<Copy>(exports, "dictionaryCopy");
  Export<Stats>(exports, "dictionaryStats");
  Export<Validate>(exports, "dictionaryValidate");
}

}  // namespace offheap
