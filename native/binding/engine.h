// The memory management of the JavaScript engine.
#pragma once

#include <napi.h>

#include <cstddef>

namespace offheap {

// Whether this engine frees growable shared memory by unmapping it, so that a file may be mapped
// there. With a sandbox (Electron) the engine keeps the addresses and reuses the memory mapped
// there. Other engines are unknown. Always false except on Linux.
bool EngineUnmaps(Napi::Env env);

// Throws ERR_OFFHEAP_UNSUPPORTED if EngineUnmaps is false.
void RequireUnmapping(Napi::Env env);

// The size of a page of memory in bytes on systems where EngineUnmaps can be true.
size_t PageSize();

}  // namespace offheap
