// Long calls of the C ABI as promises, on another thread than that of JavaScript.
//
// The work runs in libuv's pool, by napi_async_work. It calls no JavaScript. Its progress and
// requests to stop it are exchanged through an oh_control in a SharedArrayBuffer, which
// src/region/background.ts polls.
//
// Memory: references keep the typed arrays of a call alive until it has ended, so their buffers are
// neither collected nor, if shared, freed by the exit of another thread. Code that can unmap or
// detach a buffer (a mapped file) must wait for the promise first. When a worker is terminated,
// Node waits for its work to end before it destroys the environment. Then it calls Complete, which
// cannot settle a promise any more but frees the job.
#pragma once

#include <napi.h>

#include <functional>
#include <initializer_list>

#include "offheap.h"

namespace offheap {

// Runs `work` and settles the promise with the boolean that it wrote, or with the error of its
// status. `work` must not use Node-API. The values `held` stay alive until it has ended.
Napi::Value RunInBackground(Napi::Env env, const char* name, std::initializer_list<Napi::Value> held,
                            std::function<oh_status(bool* finished)> work);

// The oh_control in an Int32Array of six elements, aligned to 8 bytes.
oh_control* ReadControl(Napi::Value value);

}  // namespace offheap
