// SharedMap: snapshots, written and read by threads of their own.
//
// Each has an attachment of its own, because that of the caller belongs to the caller's thread.
#include <memory>
#include <string>

#include "args.h"
#include "background.h"
#include "module.h"
#include "status.h"

namespace offheap {

namespace {

// An attachment of its own for work in the background.
std::shared_ptr<oh_sharedmap> AttachForWork(Napi::Env env, const Bytes& bytes) {
  oh_sharedmap* map = nullptr;
  Check(env, oh_binding_sharedmap_attach(bytes.data, bytes.length, false, &map));
  return std::shared_ptr<oh_sharedmap>(map, oh_sharedmap_close);
}

Napi::Value Save(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const std::string path = ReadString(info[1], "path");
  oh_control* control = ReadControl(info[2]);
  const auto map = AttachForWork(env, bytes);
  return RunInBackground(env, "offheap.save", {info[0], info[2]}, [map, path, control](bool* finished) {
    return oh_sharedmap_save(map.get(), path.data(), path.size(), control, finished);
  });
}

Napi::Value Restore(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = ReadBytes(info[0], "bytes");
  const std::string path = ReadString(info[1], "path");
  const auto map = AttachForWork(env, bytes);
  return RunInBackground(env, "offheap.restore", {info[0]}, [map, path](bool* finished) {
    uint64_t count = 0;
    *finished = true;
    return oh_sharedmap_restore(map.get(), path.data(), path.size(), &count);
  });
}

Napi::Value SnapshotInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = ReadString(info[0], "path");
  oh_sharedmap_snapshot_info found = {};
  Check(env, oh_sharedmap_snapshot_get_info(path.data(), path.size(), &found));
  Napi::Object result = Napi::Object::New(env);
  result.Set("maxBytes", static_cast<double>(found.max_bytes));
  result.Set("ttl", found.ttl);
  result.Set("key", found.key);
  result.Set("value", found.value);
  result.Set("policy", found.policy);
  result.Set("reject", found.reject != 0);
  return result;
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<Save>(exports, "sharedmapSave");
  Export<Restore>(exports, "sharedmapRestore");
  Export<SnapshotInfo>(exports, "sharedmapSnapshotInfo");
}

}  // namespace offheap
