/* NumaPool on any machine: policies and counters with nodes that need not exist, then with real
 * ones. With several nodes, it runs on the processors of each in turn and checks the nodes of every
 * block's pages; scripts/numa-guest.sh provides such a machine. With an argument, it prints the
 * results. */
#define _GNU_SOURCE
#ifdef __linux__
#include <sched.h>
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

enum { KIB = 1024, ALIGN = 65536 };

typedef struct {
  void* base;
  size_t length;
  oh_numapool* pool;
  unsigned char* data;
} Pool;

static oh_numapool_options options_of(uint32_t policy, const uint32_t* nodes, size_t count) {
  oh_numapool_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.policy = policy;
  options.nodes = nodes;
  options.node_count = count;
  options.capacity = 256 * KIB;
  return options;
}

/* With memory that was written to, in small pages; or with fresh memory, never touched. */
static Pool make_in(const oh_numapool_options* options, bool fresh) {
  Pool made;
  uint64_t needed = 0;
  CHECK(oh_numapool_region_size(options, &needed) == OH_OK && needed % ALIGN == 0);
  made.length = (size_t)needed;
  made.base = aligned_alloc(ALIGN, made.length);
  bool taken = false;
  if (fresh) {
    CHECK(oh_region_advise(made.base, made.length, OH_ADVICE_DISCARD, &taken) == OH_OK);
    CHECK(oh_region_advise(made.base, made.length, OH_ADVICE_HUGE_PAGES, &taken) == OH_OK);
  } else {
    CHECK(oh_region_advise(made.base, made.length, OH_ADVICE_SMALL_PAGES, &taken) == OH_OK);
    memset(made.base, 0x5a, made.length);
  }
  CHECK(oh_numapool_init(made.base, made.length, options, fresh) == OH_OK);
  CHECK(oh_numapool_check(made.base, made.length) == OH_OK);
  CHECK(oh_numapool_attach(made.base, made.length, &made.pool) == OH_OK);
  made.data = oh_numapool_data(made.pool);
  CHECK(((uintptr_t)made.data & (ALIGN - 1)) == 0);
  return made;
}

static Pool make(const oh_numapool_options* options) { return make_in(options, false); }

static void drop(Pool* pool) {
  CHECK(oh_numapool_validate(pool->base, pool->length) == OH_OK);
  oh_numapool_close(pool->pool);
  free(pool->base);
}

static oh_numapool_node node_at(const Pool* pool, size_t at) {
  oh_numapool_node node;
  memset(&node, 0, sizeof node);
  CHECK(oh_numapool_node_at(pool->pool, at, false, &node) == OH_OK);
  return node;
}

static uint32_t node_of(const Pool* pool, uint64_t offset) {
  uint32_t node = 77;
  CHECK(oh_numapool_node_of(pool->pool, offset, &node) == OH_OK);
  return node;
}

/* Nodes 3, 0 and 900 need not exist: nothing is placed here. */
static void policies(void) {
  const uint32_t nodes[] = {3, 0, 900};
  oh_numapool_options options = options_of(OH_NUMA_INTERLEAVE, nodes, 3);
  Pool pool = make(&options);
  uint64_t offset = 0, offsets[6];
  for (int n = 0; n < 6; n++) {
    CHECK(oh_numapool_alloc(pool.pool, 100, &offsets[n]) == OH_OK);
    CHECK(node_of(&pool, offsets[n]) == nodes[n % 3]);
    for (int i = 0; i < 128; i++) CHECK(pool.data[offsets[n] + i] == 0);
    memset(pool.data + offsets[n], n + 1, 128);
  }
  for (int n = 0; n < 6; n++) {
    CHECK(pool.data[offsets[n]] == n + 1 && pool.data[offsets[n] + 127] == n + 1);
    CHECK(oh_numapool_free(pool.pool, offsets[n]) == OH_OK);
    CHECK(oh_numapool_free(pool.pool, offsets[n]) == OH_ERR_STALE);
  }
  CHECK(oh_numapool_alloc_on(pool.pool, 900, 1, &offset) == OH_OK && node_of(&pool, offset) == 900);
  CHECK(oh_numapool_alloc_on(pool.pool, 1, 1, &offset) == OH_ERR_RANGE);
  drop(&pool);

  /* The first node until it is full, then the others: each miss is counted on both nodes. */
  options = options_of(OH_NUMA_NODE, nodes, 3);
  pool = make(&options);
  uint64_t count = 0;
  while (oh_numapool_alloc(pool.pool, 64 * KIB, &offset) == OH_OK) count++;
  CHECK(count == 3 * 4);
  oh_numapool_stats stats;
  CHECK(oh_numapool_get_stats(pool.pool, &stats) == OH_OK);
  CHECK(stats.hits == 4 && stats.misses == 8 && stats.failures == 1 && stats.nodes == 3);
  CHECK(stats.used == stats.capacity && stats.capacity == 3 * 256 * KIB && stats.blocks == 12);
  CHECK(stats.largest == 64 * KIB);
  CHECK(node_at(&pool, 0).hits == 4 && node_at(&pool, 0).foreign == 8 && node_at(&pool, 0).misses == 0);
  CHECK(node_at(&pool, 1).misses + node_at(&pool, 2).misses == 8 && node_at(&pool, 1).id == 0);
  CHECK(oh_numapool_alloc(pool.pool, 64 * KIB + 1, &offset) == OH_ERR_FULL);
  CHECK(oh_numapool_alloc(pool.pool, UINT64_MAX, &offset) == OH_ERR_FULL);
  for (uint64_t at = 0; at < stats.capacity; at += 64 * KIB) CHECK(oh_numapool_free(pool.pool, at) == OH_OK);
  CHECK(node_at(&pool, 2).used == 0 && node_at(&pool, 2).peak == 256 * KIB);
  drop(&pool);
}

static void safety(void) {
  const uint32_t nodes[] = {0, 1};
  oh_numapool_options options = options_of(OH_NUMA_INTERLEAVE, nodes, 2);
  options.zero_on_free = true;
  options.guards = true;
  Pool pool = make(&options);
  uint64_t first = 0, second = 0, room = 0;
  CHECK(oh_numapool_alloc(pool.pool, 100, &first) == OH_OK);
  CHECK(oh_numapool_alloc(pool.pool, 100, &second) == OH_OK);
  CHECK(node_of(&pool, second) == 1);
  CHECK(oh_numapool_room(pool.pool, second, &room) == OH_OK && room == 100);
  memset(pool.data + second, 0xff, 100);
  const unsigned char before = pool.data[second + 100];
  pool.data[second + 100] ^= 1;
  CHECK(oh_numapool_free(pool.pool, second) == OH_ERR_CORRUPT);
  char message[256];
  oh_last_error(message, sizeof message);
  CHECK(strstr(message, "byte 100") != NULL && strstr(message, "node 1") != NULL);
  pool.data[second + 100] = before;
  CHECK(oh_numapool_free(pool.pool, second) == OH_OK);
  for (int i = 0; i < 128; i++) CHECK(pool.data[second + i] == 0);
  drop(&pool);
}

static void refusals(void) {
  const uint32_t twice[] = {1, 0, 1};
  uint64_t length = 5, offset = 5;
  oh_numapool_options options = options_of(OH_NUMA_LOCAL, twice, 3);
  CHECK(oh_numapool_region_size(&options, &length) == OH_ERR_RANGE && length == 5);
  options.node_count = 0;
  options.capacity = 0;
  CHECK(oh_numapool_region_size(&options, &length) == OH_ERR_RANGE);
  options.capacity = UINT64_MAX;
  CHECK(oh_numapool_region_size(&options, &length) == OH_ERR_RANGE);
  options.capacity = 1;
  options.policy = OH_NUMA_DEFAULT;
  CHECK(oh_numapool_region_size(&options, &length) == OH_ERR_RANGE);
  options.policy = OH_NUMA_LOCAL;
  options.struct_size = 8;
  CHECK(oh_numapool_region_size(&options, &length) == OH_ERR_RANGE);
  CHECK(oh_numapool_region_size(NULL, &length) == OH_ERR_TYPE && length == 5);
  CHECK(oh_numapool_alloc(NULL, 1, &offset) == OH_ERR_TYPE && oh_numapool_free(NULL, 0) == OH_ERR_TYPE);
  CHECK(oh_numapool_place(NULL, false) == OH_ERR_TYPE && oh_numapool_data(NULL) == NULL);
  oh_numapool_close(NULL);

  options.struct_size = sizeof options;
  Pool pool = make(&options);
  CHECK(oh_numapool_init(pool.base, pool.length - 64, &options, false) == OH_ERR_FULL);
  CHECK(oh_numapool_alloc(pool.pool, 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_numapool_free(pool.pool, 1) == OH_ERR_RANGE && oh_numapool_free(pool.pool, 64) == OH_ERR_STALE);
  CHECK(oh_numapool_free(pool.pool, UINT64_MAX) == OH_ERR_RANGE);
  oh_numapool_node node;
  CHECK(oh_numapool_node_at(pool.pool, 999, false, &node) == OH_ERR_RANGE);
  uint32_t id = 0;
  CHECK(oh_numapool_node_of(pool.pool, UINT64_MAX, &id) == OH_ERR_RANGE);
  /* Each flipped bit of the header is refused, or harmless. */
  for (size_t bit = 0; bit < 256 * 8; bit++) {
    unsigned char* byte = (unsigned char*)pool.base + bit / 8;
    *byte ^= (unsigned char)(1u << bit % 8);
    oh_numapool* other = NULL;
    if (oh_numapool_attach(pool.base, pool.length, &other) == OH_OK) {
      if (oh_numapool_alloc(other, 100, &offset) == OH_OK) CHECK(oh_numapool_free(other, offset) == OH_OK);
      oh_numapool_close(other);
    }
    oh_numapool_validate(pool.base, pool.length);
    *byte ^= (unsigned char)(1u << bit % 8);
  }
  const uint32_t none[] = {1000};
  drop(&pool);
  options = options_of(OH_NUMA_NODE, none, 1);
  pool = make(&options);
  CHECK(oh_numapool_place(pool.pool, false) == OH_ERR_RANGE);
  drop(&pool);
}

/* Runs this thread only on the processors of the node at `index`. Returns false if that is not
 * possible. */
static bool run_on(size_t index) {
#ifdef __linux__
  uint32_t cpus[256];
  size_t count = 0;
  CHECK(oh_numa_cpus(index, cpus, 256, &count) == OH_OK);
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t at = 0; at < count && at < 256; at++) CPU_SET(cpus[at], &set);
  return count > 0 && sched_setaffinity(0, sizeof set, &set) == 0;
#else
  (void)index;
  return false;
#endif
}

/* The node of the page at an offset, according to the kernel. */
static int32_t page_of(const Pool* pool, uint64_t offset) {
  int32_t node = -2;
  size_t pages = 0;
  CHECK(oh_numa_nodes_of(pool->data + offset, 1, &node, 1, &pages) == OH_OK && pages == 1);
  return node;
}

static void placement(bool verbose) {
  oh_numapool_options options = options_of(OH_NUMA_LOCAL, NULL, 0);
  options.capacity = 1024 * KIB;
  Pool pool = make(&options);
  oh_numapool_stats stats;
  CHECK(oh_numapool_get_stats(pool.pool, &stats) == OH_OK && stats.nodes >= 1);
  /* The pages were touched on some node; they move. */
  const oh_status placed = oh_numapool_place(pool.pool, false);
  if (placed == OH_ERR_UNSUPPORTED) {
    printf("placing pages is forbidden here\n");
    drop(&pool);
    return;
  }
  CHECK(placed == OH_OK);
  for (size_t at = 0; at < stats.nodes; at++) {
    oh_numapool_node node;
    CHECK(oh_numapool_node_at(pool.pool, at, true, &node) == OH_OK);
    if (verbose) {
      printf("node %u: %llu pages here, %llu elsewhere, %llu nowhere\n", node.id,
             (unsigned long long)node.pages_here, (unsigned long long)node.pages_elsewhere,
             (unsigned long long)node.pages_nowhere);
    }
    CHECK(node.pages_elsewhere == 0 && node.pages_nowhere == 0 && node.pages_here > 0);
  }
  /* A thread that runs on a node gets memory of that node. */
  size_t machine = 0;
  CHECK(oh_numa_node_count(&machine) == OH_OK);
  for (size_t index = 0; index < machine; index++) {
    if (!run_on(index)) continue;
    oh_numapool* view = NULL;
    CHECK(oh_numapool_attach(pool.base, pool.length, &view) == OH_OK);
    uint32_t near = 99;
    CHECK(oh_numapool_near(view, &near) == OH_OK && near < stats.nodes);
    const uint32_t here = node_at(&pool, near).id;
    CHECK(machine != stats.nodes || here == oh_numa_current_node());
    for (int n = 0; n < 300; n++) {
      uint64_t offset = 0;
      CHECK(oh_numapool_alloc(view, 1000, &offset) == OH_OK);
      CHECK(node_of(&pool, offset) == here);
      pool.data[offset] = 1;
      CHECK(!oh_numa_available() || page_of(&pool, offset) == (int32_t)here);
    }
    if (verbose) printf("300 blocks for a thread on node %u: all there\n", here);
    oh_numapool_close(view);
  }
  CHECK(oh_numapool_get_stats(pool.pool, &stats) == OH_OK && stats.misses == 0);
  drop(&pool);

  /* Fresh memory, interleaved and populated, in huge pages if there are any. */
  options.policy = OH_NUMA_INTERLEAVE;
  options.capacity = 8192 * KIB;
  pool = make_in(&options, true);
  CHECK(oh_numapool_place(pool.pool, true) == OH_OK);
  for (size_t at = 0; at < stats.nodes; at++) {
    oh_numapool_node node;
    CHECK(oh_numapool_node_at(pool.pool, at, true, &node) == OH_OK);
    CHECK(node.pages_elsewhere == 0 && node.pages_nowhere == 0 && node.pages_here > 0);
  }
  for (uint32_t n = 0; n < 4 * stats.nodes; n++) {
    uint64_t offset = 0;
    CHECK(oh_numapool_alloc(pool.pool, 5000, &offset) == OH_OK);
    CHECK(node_of(&pool, offset) == node_at(&pool, n % stats.nodes).id);
    CHECK(!oh_numa_available() || page_of(&pool, offset) == (int32_t)node_of(&pool, offset));
  }
  if (verbose) printf("%u blocks in turns: each on its node\n", 4 * stats.nodes);
  drop(&pool);
}

int main(int argc, char** argv) {
  (void)argv;
  policies();
  safety();
  refusals();
  placement(argc > 1);
  return check_result();
}
