// offheap.hpp: a thin C++17 wrapper around offheap.h.
//
// It turns statuses into exceptions (offheap/error.hpp) and outputs into return values, and frees
// memory and handles in destructors. Nothing else is added to the C ABI. It is header-only: link
// the C library. Each structure has a header of its own in offheap/; this one includes them all.
//
// - A class owns its memory or handle unless its name ends in View. Classes are moved and not
//   copied, and a moved-from object is empty: its calls throw or return nothing.
// - A View reads a region that something else owns, for example the bytes of a MappedFile.
// - Objects have no locks. Several threads may use const functions at the same time unless a class
//   states otherwise.
// - A call costs as much as the C function that it names.
//
//   #include <offheap.hpp>
//   offheap::HashMap<std::string_view, double> prices;
//   prices.set("apple", 0.5);
//   if (auto price = prices.get("apple")) std::printf("%g\n", *price);
#ifndef OFFHEAP_HPP
#define OFFHEAP_HPP

#include "offheap/bitvector.hpp"
#include "offheap/compress.hpp"
#include "offheap/eliasfano.hpp"
#include "offheap/error.hpp"
#include "offheap/hashmap.hpp"
#include "offheap/log.hpp"
#include "offheap/mappedfile.hpp"
#include "offheap/mmapvector.hpp"
#include "offheap/packedints.hpp"
#include "offheap/pools.hpp"
#include "offheap/rankselect.hpp"
#include "offheap/sharedmap.hpp"
#include "offheap/smallmap.hpp"
#include "offheap/smallmap_arena.hpp"
#include "offheap/vector.hpp"

#endif  // OFFHEAP_HPP
