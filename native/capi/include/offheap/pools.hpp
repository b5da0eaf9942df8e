// offheap/pools.hpp: all pools. See offheap.hpp.
#ifndef OFFHEAP_POOLS_HPP
#define OFFHEAP_POOLS_HPP

#include "bumparena.hpp"
#include "fixedpool.hpp"
#include "lockfreepool.hpp"
#include "numapool.hpp"
#include "pool.hpp"
#include "threadlocalpool.hpp"

#endif  // OFFHEAP_POOLS_HPP
