// The status that a call of the C++ face throws; OH_OK if it throws none.
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
