// offheap/log.hpp: a callback for rare events. See offheap.hpp.
#ifndef OFFHEAP_LOG_HPP
#define OFFHEAP_LOG_HPP

#include <memory>
#include <type_traits>
#include <utility>

#include "../offheap.h"
#include "error.hpp"

namespace offheap {

// Calls a function for rare events of all structures in this process, such as repairs, many
// evictions, and slow operations, as long as this object exists. There is one log per process: a
// later object replaces the function, and the destruction of any of them, which must not happen in
// the function, ends the log. See oh_log_set.
//
//   const offheap::Log log([](const oh_log_record& record) { std::puts(record.message); });
//   });
//
// The function may be called on several threads at the same time, after their operations; it may
// use the library. An exception that it throws is ignored. A moved-from object has no function.
class Log {
 public:
  // The default options: warnings and errors.
  static oh_log_options options() noexcept {
    oh_log_options options = {};
    options.struct_size = sizeof options;
    return options;
  }

  template <typename Function>
  explicit Log(Function function, const oh_log_options& options = Log::options())
      : function_(new Function(std::move(function)), release<Function>) {
    check(oh_log_set(call<Function>, function_.get(), &options));
  }
  Log(Log&&) noexcept = default;
  // Does not set a log: the one of `other` stays. There can be one only.
  Log& operator=(Log&& other) = delete;
  ~Log() {
    if (function_) oh_log_set(nullptr, nullptr, nullptr);
  }

 private:
  template <typename Function>
  static void call(void* function, const oh_log_record* record) noexcept {
    try {
      (*static_cast<Function*>(function))(*record);
    } catch (...) {
      // C cannot pass it on.
    }
  }
  template <typename Function>
  static void release(void* function) {
    delete static_cast<Function*>(function);
  }

  std::unique_ptr<void, void (*)(void*)> function_;
};

}  // namespace offheap

#endif  // OFFHEAP_LOG_HPP
