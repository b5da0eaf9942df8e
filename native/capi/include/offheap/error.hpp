// offheap/error.hpp: statuses as exceptions. See offheap.hpp.
#ifndef OFFHEAP_ERROR_HPP
#define OFFHEAP_ERROR_HPP

#include <stdexcept>
#include <string>

#include "../offheap.h"

namespace offheap {

// A call that failed. what() is the library's message, status() the kind of failure. The kinds have
// the same names in every layer.
class Error : public std::runtime_error {
 public:
  Error(oh_status status, const std::string& message) : std::runtime_error(message), status_(status) {}

  oh_status status() const noexcept { return status_; }
  // The name of the status, for example "OH_ERR_CORRUPT". Never null.
  const char* name() const noexcept { return oh_status_name(status_); }

 private:
  oh_status status_;
};

// The message of the last call that failed on this thread.
inline std::string last_error() {
  std::string message(oh_last_error(nullptr, 0), '\0');
  oh_last_error(message.data(), message.size() + 1);
  return message;
}

// The last failure on this thread as JSON, with the members code, status and message; "null" if no
// call has failed.
inline std::string last_error_json() {
  std::string json(oh_last_error_json(nullptr, 0), '\0');
  oh_last_error_json(json.data(), json.size() + 1);
  return json;
}

// Throws Error unless the status is OH_OK: check(oh_thing_do(...)).
inline void check(oh_status status) {
  if (status != OH_OK) throw Error(status, last_error());
}

inline const char* version() noexcept { return oh_version(); }

}  // namespace offheap

#endif  // OFFHEAP_ERROR_HPP
