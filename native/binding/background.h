// Long calls of the C ABI, off the thread of JavaScript, as promises.
//
// The work runs in libuv's pool, by napi_async_work. It calls no JavaScript; how far it has come, and whether
// it is to stop, goes through an oh_control in a SharedArrayBuffer (src/region/background.ts polls it).
//
// Memory: the typed arrays that a call works on are held by references until it has ended, so their buffers
// are neither collected nor, if shared, freed by another thread's exit. Whoever can unmap or detach one (a
// mapped file) must wait for the promise first. When a worker is terminated Node waits for its work to end
// before it tears the environment down, and then calls Complete, which finds that no promise can be settled
// any more, and frees all the same.
#pragma once

#include <napi.h>

#include <functional>
#include <initializer_list>

#include "offheap.h"

namespace offheap {

// Runs `work` and settles the promise with the boolean that it wrote, or with the error of its status.
// `work` must not touch anything of Node-API. `held` stays alive until it is done.
Napi::Value RunInBackground(Napi::Env env, const char* name, std::initializer_list<Napi::Value> held,
                            std::function<oh_status(bool* finished)> work);

// The oh_control in an Int32Array of six elements, at a multiple of 8.
oh_control* ReadControl(Napi::Value value);

}  // namespace offheap
