// offheap/compress.hpp: all structures for compression and search. See offheap.hpp.
#ifndef OFFHEAP_COMPRESS_HPP
#define OFFHEAP_COMPRESS_HPP

#include "bloomfilter.hpp"
#include "dictionary.hpp"
#include "recordstore.hpp"
#include "rollinghash.hpp"
#include "suffixarray.hpp"

#endif  // OFFHEAP_COMPRESS_HPP
