/* NUMA on any machine. With several nodes, it checks the node of each page that it placed;
 * scripts/numa-guest.sh provides such a machine. With an argument, it prints the results. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

enum { PAGES = 64, MAX_NODES = 1024 };

static size_t page = 65536; /* Determined below; no Linux machine has larger pages. */
static unsigned char* memory;
static bool allowed = true;

/* The number of pages on `node`. */
static uint64_t pages_on(uint32_t node, uint64_t* nowhere) {
  static uint64_t counts[MAX_NODES];
  memset(counts, 0, sizeof counts);
  *nowhere = 12345;
  CHECK(oh_numa_count_pages(memory, PAGES * page, counts, MAX_NODES, nowhere) == OH_OK);
  return counts[node];
}

static void fresh(void) {
  free(memory);
  memory = aligned_alloc(page, PAGES * page);
  CHECK(memory != NULL);
  bool taken;
  CHECK(oh_region_advise(memory, PAGES * page, OH_ADVICE_SMALL_PAGES, &taken) == OH_OK);
  CHECK(oh_region_advise(memory, PAGES * page, OH_ADVICE_DISCARD, &taken) == OH_OK);
}

static void topology(bool verbose, size_t nodes) {
  uint32_t before = 0;
  for (size_t at = 0; at < nodes; at++) {
    oh_numa_node node;
    CHECK(oh_numa_node_at(at, &node) == OH_OK);
    CHECK(at == 0 || node.id > before);
    before = node.id;
    uint32_t cpus[256], distances[256];
    size_t cpu_count = 0, distance_count = 0;
    CHECK(oh_numa_cpus(at, cpus, 256, &cpu_count) == OH_OK && cpu_count == node.cpu_count);
    CHECK(oh_numa_distances(at, distances, 256, &distance_count) == OH_OK && distance_count == nodes);
    CHECK(distances[at] == 10);
    if (!verbose) continue;
    printf("node %u: %llu MiB, %llu MiB free, processors", node.id,
           (unsigned long long)node.memory_bytes >> 20, (unsigned long long)node.free_bytes >> 20);
    for (size_t i = 0; i < cpu_count && i < 256; i++) printf(" %u", cpus[i]);
    printf(", distances");
    for (size_t i = 0; i < distance_count; i++) printf(" %u", distances[i]);
    printf(", hit %llu miss %llu foreign %llu interleaved %llu local %llu other %llu\n",
           (unsigned long long)node.hit, (unsigned long long)node.miss, (unsigned long long)node.foreign,
           (unsigned long long)node.interleave_hit, (unsigned long long)node.local,
           (unsigned long long)node.other);
  }
  size_t count = 77;
  CHECK(oh_numa_cpus(0, NULL, 0, &count) == OH_OK && count != 77);
  CHECK(oh_numa_distances(0, NULL, 0, &count) == OH_OK && count == nodes);
  oh_numa_node untouched = {0};
  untouched.id = 4711;
  CHECK(oh_numa_node_at(nodes, &untouched) == OH_ERR_RANGE && untouched.id == 4711);
  CHECK(oh_numa_cpus(nodes, NULL, 0, &count) == OH_ERR_RANGE && count == nodes);
  CHECK(oh_numa_distances(0, NULL, 1, &count) == OH_ERR_TYPE);
  CHECK(oh_numa_distances(0, NULL, 0, NULL) == OH_ERR_TYPE);
}

/* Places fresh memory, and memory that was touched before, and checks the nodes. */
static void placement(bool verbose, size_t nodes) {
  uint64_t nowhere = 0;
  for (size_t at = 0; at < nodes; at++) {
    oh_numa_node node;
    CHECK(oh_numa_node_at(at, &node) == OH_OK);
    if (node.memory_bytes == 0) continue;
    for (int touched = 0; touched < 2; touched++) {
      fresh();
      if (touched) memset(memory, 1, PAGES * page);
      const oh_status status = oh_numa_place(memory, PAGES * page, OH_NUMA_NODE, node.id, false);
      if (status == OH_ERR_UNSUPPORTED) {
        allowed = false;
        return;
      }
      CHECK(status == OH_OK);
      if (!touched) {
        pages_on(node.id, &nowhere);
        CHECK(nowhere == (oh_numa_available() ? PAGES : 0));
        memset(memory, 1, PAGES * page);
      }
      const uint64_t there = pages_on(node.id, &nowhere);
      CHECK(nowhere == 0);
      if (verbose)
        printf("%s on node %u: %llu of %d pages are there\n", touched ? "moved" : "placed", node.id,
               (unsigned long long)there, PAGES);
      CHECK(there >= PAGES);
      CHECK(memory[5] == 1);
    }
  }
  fresh();
  CHECK(oh_numa_place(memory, PAGES * page, OH_NUMA_INTERLEAVE, 0, true) == OH_OK);
  int32_t where[PAGES];
  size_t count = 0;
  CHECK(oh_numa_nodes_of(memory, PAGES * page, where, PAGES, &count) == OH_OK && count >= PAGES);
  if (verbose) {
    printf("interleaved:");
    for (int at = 0; at < PAGES; at++) printf(" %d", where[at]);
    printf("\n");
  }
  for (size_t at = 0; at < nodes; at++) {
    oh_numa_node node;
    CHECK(oh_numa_node_at(at, &node) == OH_OK);
    if (node.memory_bytes == 0) continue;
    const uint64_t there = pages_on(node.id, &nowhere);
    CHECK(nowhere == 0);
    CHECK(there * nodes + nodes * nodes >= PAGES);
  }
  fresh();
  CHECK(oh_numa_place(memory, PAGES * page, OH_NUMA_LOCAL, 0, true) == OH_OK);
  const uint64_t here = pages_on(oh_numa_current_node(), &nowhere);
  if (verbose) printf("local, on node %u: %llu pages\n", oh_numa_current_node(), (unsigned long long)here);
  CHECK(nowhere == 0 && (nodes > 1 || here >= PAGES));
  CHECK(oh_numa_place(memory, PAGES * page, OH_NUMA_DEFAULT, 0, false) == OH_OK);
}

static void refusals(void) {
  CHECK(oh_numa_place(memory, page, 4, 0, false) == OH_ERR_RANGE);
  CHECK(oh_numa_place(memory, page, OH_NUMA_LOCAL, 1, false) == OH_ERR_RANGE);
  CHECK(oh_numa_place(memory, page, OH_NUMA_NODE, 4000000000u, false) == OH_ERR_RANGE);
  CHECK(oh_numa_place(NULL, 1, OH_NUMA_LOCAL, 0, false) == OH_ERR_TYPE);
  CHECK(oh_numa_place(NULL, 0, OH_NUMA_LOCAL, 0, true) == OH_OK);
  uint64_t nowhere = 99;
  uint64_t counts[1] = {0};
  CHECK(oh_numa_count_pages(NULL, 1, counts, 1, &nowhere) == OH_ERR_TYPE && nowhere == 99);
  CHECK(oh_numa_count_pages(memory, page, NULL, 1, &nowhere) == OH_ERR_TYPE && nowhere == 99);
  CHECK(oh_numa_count_pages(memory, page, counts, 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_numa_count_pages(memory, SIZE_MAX, counts, 1, &nowhere) == OH_ERR_RANGE && nowhere == 99);
  CHECK(oh_numa_count_pages(NULL, 0, counts, 1, &nowhere) == OH_OK && nowhere == 0);
  size_t count = 99;
  CHECK(oh_numa_nodes_of(memory, page, NULL, 1, &count) == OH_ERR_TYPE && count == 99);
  CHECK(oh_numa_nodes_of(memory, page, NULL, 0, &count) == OH_OK && count >= 1);
  CHECK(oh_numa_nodes_of(memory, page, NULL, 0, NULL) == OH_ERR_TYPE);
  CHECK(oh_numa_node_count(NULL) == OH_ERR_TYPE);
}

int main(int argc, char** argv) {
  (void)argv;
  size_t nodes = 0;
  CHECK(oh_numa_node_count(&nodes) == OH_OK && nodes >= 1);
  size_t count = 0;
  CHECK(oh_numa_nodes_of(NULL, 0, NULL, 0, &count) == OH_OK && count == 0);
  /* Determines the page size from the number of pages in 64 KiB. */
  memory = aligned_alloc(page, PAGES * page);
  CHECK(memory != NULL);
  memset(memory, 0, page);
  const oh_status asked = oh_numa_nodes_of(memory, page, NULL, 0, &count);
  CHECK(asked == OH_OK && count >= 1 && page % count == 0);
  page /= count;
  topology(argc > 1, nodes);
  placement(argc > 1, nodes);
  if (!allowed) printf("placing pages is forbidden here\n");
  refusals();
  free(memory);
  return check_result();
}
