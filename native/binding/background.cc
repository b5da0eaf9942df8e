// See background.h.
#include "background.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "args.h"
#include "status.h"

namespace offheap {

namespace {

struct Job {
  std::function<oh_status(bool*)> work;
  std::vector<napi_ref> held;
  napi_async_work handle = nullptr;
  napi_deferred deferred = nullptr;
  oh_status status = OH_OK;
  bool finished = false;
  std::string message;
};

void Execute(napi_env, void* data) {
  auto* job = static_cast<Job*>(data);
  job->status = job->work(&job->finished);
  // The last message belongs to a thread, so it is read on the thread on which the call failed.
  if (job->status != OH_OK) job->message = LastError();
}

void Release(napi_env env, Job* job) {
  for (napi_ref reference : job->held) napi_delete_reference(env, reference);
  if (job->handle != nullptr) napi_delete_async_work(env, job->handle);
  delete job;
}

void Settle(napi_env env, Job* job, napi_status outcome) {
  if (outcome == napi_ok && job->status == OH_OK) {
    napi_value finished = nullptr;
    if (napi_get_boolean(env, job->finished, &finished) == napi_ok) {
      napi_resolve_deferred(env, job->deferred, finished);
    }
    return;
  }
  const oh_status status = outcome == napi_ok ? job->status : OH_ERR_NATIVE;
  napi_reject_deferred(
      env, job->deferred,
      MakeError(env, status,
                outcome == napi_ok ? job->message : "background work was canceled before it started"));
}

void Complete(napi_env env, napi_status outcome, void* data) {
  auto* job = static_cast<Job*>(data);
  try {
    Settle(env, job, outcome);
  } catch (...) {
    // The environment is being destroyed, so the error could not be created. Nothing awaits it.
    napi_value ignored = nullptr;
    napi_get_and_clear_last_exception(env, &ignored);
  }
  Release(env, job);
}

void Expect(Napi::Env env, napi_status status) {
  if (status == napi_ok) return;
  throw Napi::Error(env, MakeError(env, OH_ERR_NATIVE, "cannot start background work"));
}

}  // namespace

Napi::Value RunInBackground(Napi::Env env, const char* name, std::initializer_list<Napi::Value> held,
                            std::function<oh_status(bool*)> work) {
  auto release = [env](Job* job) { Release(env, job); };
  std::unique_ptr<Job, decltype(release)> job(new Job(), release);
  job->work = std::move(work);
  for (const Napi::Value value : held) {
    napi_ref reference = nullptr;
    Expect(env, napi_create_reference(env, value, 1, &reference));
    job->held.push_back(reference);
  }
  napi_value promise = nullptr;
  const Napi::String resource = Napi::String::New(env, name);
  Expect(env, napi_create_async_work(env, nullptr, resource, Execute, Complete, job.get(), &job->handle));
  Expect(env, napi_create_promise(env, &job->deferred, &promise));
  Expect(env, napi_queue_async_work(env, job->handle));
  job.release();  // Owned by Complete.
  return Napi::Value(env, promise);
}

oh_control* ReadControl(Napi::Value value) {
  const Elements<int32_t> words = ReadElements<int32_t>(value, "control");
  if (words.length * sizeof(int32_t) < sizeof(oh_control) ||
      reinterpret_cast<uintptr_t>(words.data) % alignof(oh_control) != 0) {
    ThrowRange(value.Env(), "control must have six elements and be aligned to 8 bytes");
  }
  return reinterpret_cast<oh_control*>(words.data);
}

}  // namespace offheap
