// Construction of rank and select indexes, and many queries at once. Single queries are implemented
// in TypeScript (src/succinct/).
//
// `bytes` is a view of the whole buffer that contains the region. Other arrays may have any numeric
// type.
#include "args.h"
#include "columns.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// { variant, length, ones, regionSize }
Napi::Value Plan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bits = ReadBytes(info[0], "bits");
  oh_rankselect_info planned = {};
  Check(env, oh_rankselect_plan(bits.data, bits.length, ReadU32(info[1], "variant"), &planned));
  Napi::Object result = Napi::Object::New(env);
  result.Set("variant", Napi::Number::New(env, planned.variant));
  result.Set("length", Napi::Number::New(env, static_cast<double>(planned.count)));
  result.Set("ones", Napi::Number::New(env, static_cast<double>(planned.ones)));
  result.Set("regionSize", Napi::Number::New(env, static_cast<double>(planned.region_size)));
  return result;
}

void Build(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const Bytes bits = ReadBytes(info[1], "bits");
  oh_rankselect_info planned = {};
  planned.variant = ReadU32(info[2], "variant");
  planned.count = ReadInteger(info[3], "length");
  planned.ones = ReadInteger(info[4], "ones");
  Check(info.Env(), oh_rankselect_build(bytes.data, bytes.length, bits.data, bits.length, &planned));
}

void Many(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t query = ReadU32(info[1], "query");
  const Numbers questions = ReadNumbers(info[2], "questions");
  const Numbers out = ReadOut(info[3], questions.length);
  Check(info.Env(), oh_rankselect_many(bytes.data, bytes.length, query, questions.data, questions.type,
                                       questions.length, out.data, out.type));
}

void Validate(const Napi::CallbackInfo& info) {
  const Bytes bytes = ReadBytes(info[0], "bytes");
  Check(info.Env(), oh_rankselect_validate(bytes.data, bytes.length));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Plan>(exports, "rankselectPlan");
  Export<Build>(exports, "rankselectBuild");
  Export<Many>(exports, "rankselectMany");
  Export<Validate>(exports, "rankselectValidate");
}

}  // namespace offheap
