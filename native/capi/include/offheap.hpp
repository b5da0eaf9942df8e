// offheap.hpp: a thin C++17 face of offheap.h.
//
// Adds to the C ABI what C lacks, and nothing else: statuses become exceptions, outputs become
// return values, and what must be freed frees itself. It is header-only; link the C library.
// Each structure has a header of its own in offheap/; this one includes them all.
//
//   #include <offheap.hpp>
//   offheap::HashMap<std::string_view, double> prices;
//   prices.set("apple", 0.5);
//   if (auto price = prices.get("apple")) std::printf("%g\n", *price);
#ifndef OFFHEAP_HPP
#define OFFHEAP_HPP

#include "offheap/bitvector.hpp"
#include "offheap/bumparena.hpp"
#include "offheap/compress.hpp"
#include "offheap/eliasfano.hpp"
#include "offheap/error.hpp"
#include "offheap/hashmap.hpp"
#include "offheap/mappedfile.hpp"
#include "offheap/mmapvector.hpp"
#include "offheap/packedints.hpp"
#include "offheap/pools.hpp"
#include "offheap/rankselect.hpp"
#include "offheap/records.hpp"
#include "offheap/smallmap.hpp"
#include "offheap/smallmap_arena.hpp"
#include "offheap/vector.hpp"

#endif  // OFFHEAP_HPP
