// The file of a SharedMap, mapped over a growable SharedArrayBuffer (src/sharedmap/file.ts).
//
// The engine frees the pages when the last thread has dropped the buffer. The attachments of this
// process (sharedmap.cc) have descriptors of their own, and the handle here only lives while the
// file is opened.
#include <string>

#include "args.h"
#include "engine.h"
#include "handle.h"
#include "module.h"
#include "sharedmap.h"
#include "status.h"

namespace offheap {

namespace {

class MapFile : public OwnedPointer<oh_binding_sharedmap_file, oh_binding_sharedmap_file_close> {
 public:
  static constexpr napi_type_tag kTag = {0x2b7c95e1f06d4a83, 0xd91e0c57a3b86f24};
  static constexpr const char* kName = "file of a map";
};

oh_binding_sharedmap_file* ReadFile(Napi::Value value) { return ReadHandle<MapFile>(value)->pointer; }

Napi::Value MapFileOpen(const Napi::CallbackInfo& info) {
  const std::string path = ReadString(info[0], "path");
  const oh_sharedmap_options options = ReadMapOptions(info[1]);
  const uint32_t flags = ReadU32(info[2], "flags");
  return NewHandle<MapFile>(info.Env(), [&](MapFile& made) {
    Check(info.Env(),
          oh_binding_sharedmap_file_open(path.data(), path.size(), &options, flags, &made.pointer));
  });
}

Napi::Value MapFileLength(const Napi::CallbackInfo& info) {
  const size_t length = oh_binding_sharedmap_file_length(ReadFile(info[0]));
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

void MapFileMap(const Napi::CallbackInfo& info) {
  oh_binding_sharedmap_file* const file = ReadFile(info[0]);
  const Bytes target = ReadBytes(info[1], "target");
  RequireUnmapping(info.Env());
  Check(info.Env(), oh_binding_sharedmap_file_map(file, target.data, ReadSize(info[2], "capacity")));
}

Napi::Value MapFileOpened(const Napi::CallbackInfo& info) {
  oh_sharedmap_opened opened = {};
  Check(info.Env(), oh_binding_sharedmap_file_get_opened(ReadFile(info[0]), &opened));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("created", opened.created);
  result.Set("repaired", opened.repaired);
  result.Set("kept", static_cast<double>(opened.kept));
  result.Set("lost", static_cast<double>(opened.lost));
  return result;
}

void MapFileClose(const Napi::CallbackInfo& info) { ReadShared<MapFile>(info[0]).reset(); }

Napi::Value MapFilePage(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(PageSize()));
}

}  // namespace

OFFHEAP_MODULE(exports) {
  Export<MapFileOpen>(exports, "sharedmapFileOpen");
  Export<MapFileLength>(exports, "sharedmapFileLength");
  Export<MapFileMap>(exports, "sharedmapFileMap");
  Export<MapFileOpened>(exports, "sharedmapFileOpened");
  Export<MapFileClose>(exports, "sharedmapFileClose");
  Export<MapFilePage>(exports, "sharedmapFilePage");
}

}  // namespace offheap
