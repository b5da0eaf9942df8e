// The options of a SharedMap, for the files of the binding that create one.
#pragma once

#include <napi.h>

#include "offheap.h"

namespace offheap {

// The members of an object as options. Throws for missing members and members of a wrong type.
oh_sharedmap_options ReadMapOptions(Napi::Value value);

}  // namespace offheap
