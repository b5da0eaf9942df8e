// NUMA: the nodes of the machine, and the placement and location of pages.
#include <string>
#include <vector>

#include "args.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// The maximum number of nodes that a kernel can be configured for.
constexpr size_t kMaxNodes = 1024;

Napi::Value Available(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), oh_numa_available());
}

// A list of numbers of the node at `index`. The first call returns its length.
Napi::Array List(Napi::Env env, size_t index, oh_status (*read)(size_t, uint32_t*, size_t, size_t*)) {
  size_t count = 0;
  Check(env, read(index, nullptr, 0, &count));
  std::vector<uint32_t> numbers(count);
  Check(env, read(index, numbers.data(), numbers.size(), &count));
  // The list may have become shorter between the calls.
  if (count < numbers.size()) numbers.resize(count);
  Napi::Array list = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); i++) list.Set(i, Napi::Number::New(env, numbers[i]));
  return list;
}

Napi::Value Nodes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  size_t count = 0;
  Check(env, oh_numa_node_count(&count));
  Napi::Array nodes = Napi::Array::New(env);
  for (size_t index = 0; index < count; index++) {
    oh_numa_node node;
    // A node was removed since they were counted.
    if (oh_numa_node_at(index, &node) != OH_OK) break;
    Napi::Object object = Napi::Object::New(env);
    const auto set = [&](const char* name, uint64_t value) {
      object.Set(name, Napi::Number::New(env, static_cast<double>(value)));
    };
    set("id", node.id);
    object.Set("cpus", List(env, index, oh_numa_cpus));
    set("memoryBytes", node.memory_bytes);
    set("freeBytes", node.free_bytes);
    object.Set("distances", List(env, index, oh_numa_distances));
    set("hit", node.hit);
    set("miss", node.miss);
    set("foreign", node.foreign);
    set("interleaveHit", node.interleave_hit);
    set("local", node.local);
    set("other", node.other);
    nodes.Set(static_cast<uint32_t>(index), object);
  }
  return nodes;
}

Napi::Value CurrentNode(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), oh_numa_current_node());
}

Napi::Value Place(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const uint32_t policy = ReadU32(info[1], "policy");
  const uint32_t node = ReadU32(info[2], "node");
  const bool populate = ReadBool(info[3], "populate");
  Check(env, oh_numa_place(bytes.data, bytes.length, policy, node, populate));
  return env.Undefined();
}

// [pages that are not in memory, pages on node 0, pages on node 1, ...], up to the last node with
// pages.
Napi::Value CountPages(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "bytes");
  std::vector<uint64_t> counts(kMaxNodes, 0);
  uint64_t absent = 0;
  Check(env, oh_numa_count_pages(bytes.data, bytes.length, counts.data(), counts.size(), &absent));
  size_t used = counts.size();
  while (used > 0 && counts[used - 1] == 0) used--;
  Napi::Array list = Napi::Array::New(env, used + 1);
  list.Set(0u, Napi::Number::New(env, static_cast<double>(absent)));
  for (uint32_t i = 0; i < used; i++) {
    list.Set(i + 1, Napi::Number::New(env, static_cast<double>(counts[i])));
  }
  return list;
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Available>(exports, "numaAvailable");
  Export<Nodes>(exports, "numaNodes");
  Export<CurrentNode>(exports, "numaCurrentNode");
  Export<Place>(exports, "numaPlace");
  Export<CountPages>(exports, "numaCountPages");
}

}  // namespace offheap
