// The status of the Error that a call throws, or OH_OK if it does not throw.
#pragma once

#include "offheap.hpp"

template <typename Work>
oh_status status_of(Work work) {
  try {
    work();
  } catch (const offheap::Error& error) {
    return error.status();
  }
  return OH_OK;
}
