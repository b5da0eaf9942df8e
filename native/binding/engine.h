// The memory management of the JavaScript engine.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace offheap {

// Whether this engine frees growable shared memory by unmapping it, so that a file may be mapped
// there. With a sandbox (Electron) the engine keeps the addresses and reuses the memory mapped
// there. Other engines are unknown. Always false except on Linux.
bool EngineUnmaps(Napi::Env env);

// Throws ERR_OFFHEAP_UNSUPPORTED if EngineUnmaps is false.
void RequireUnmapping(Napi::Env env);

// Tells the engine that `buffer` has `bytes` bytes of memory that the engine does not count itself,
// instead of the number of the last call. When the buffer is collected, or its thread ends, the
// number becomes 0 by itself.
void CountBytes(Napi::Env env, Napi::Object buffer, int64_t bytes);

// The address space of the process in bytes: the limit (RLIMIT_AS), and how much of it is left.
// Both are infinite where there is no limit, or where it cannot be read.
struct AddressSpace {
  double limit;
  double left;
};
AddressSpace ReadAddressSpace();

// The size of a page of memory in bytes on systems where EngineUnmaps can be true.
size_t PageSize();

}  // namespace offheap
