// What the runtime around us does with memory.
#pragma once

#include <napi.h>

#include <cstddef>

namespace offheap {

// Whether this engine frees growable shared memory by unmapping it, so that a file may be laid there. With a
// sandbox (Electron) it keeps the addresses and reuses what is mapped there; others are not known. False but
// on Linux.
bool EngineUnmaps(Napi::Env env);

// Throws ERR_OFFHEAP_UNSUPPORTED where it does not.
void RequireUnmapping(Napi::Env env);

// Bytes of a page of memory, where EngineUnmaps may be true.
size_t PageSize();

}  // namespace offheap
