/**
 * NUMA: the nodes of this machine, the nodes of pages, and how well placement worked.
 * `native/core/src/region/numa/` documents the system calls and files; libnuma is not needed.
 *
 * Without NUMA (a system other than Linux, a kernel without it, a container that forbids it) the
 * machine is a single node, 0, {@link Numa.available} is false, and every page is on node 0.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { describe } from './options.js';

/** One node. */
export interface NumaNode {
  /** Its number. Numbers may have gaps. */
  id: number;
  /** The logical processors of the node; a node may have none. */
  cpus: number[];
  /** Total bytes of memory; a node may have none. */
  memoryBytes: number;
  /** Bytes that are free at this moment. */
  freeBytes: number;
  /**
   * The distances of the nodes from this one, in the order of the topology: 10 for itself, 20 for
   * twice as far.
   */
  distances: number[];
}

export interface NumaTopology {
  /** At least one, ascending by number. */
  nodes: NumaNode[];
  /** The node on which this thread runs at this moment. */
  current: number;
}

/**
 * The kernel's counters of page allocations since the machine started, in pages, of all processes.
 */
export interface NumaCounters {
  id: number;
  /** Requested on this node, and allocated there. */
  hit: number;
  /** Requested on another node, which had no room, and allocated on this one. */
  miss: number;
  /** Requested on this node, and allocated on another one. */
  foreign: number;
  /** Interleaved, requested on this node, and allocated there. */
  interleaveHit: number;
  /** Allocated on this node by a thread that ran on it. */
  local: number;
  /** Allocated on this node by a thread that ran on another one. */
  other: number;
}

/** The nodes of the pages of a range of memory. */
export interface NumaPlacement {
  /** The number of pages on each node; nodes without pages are omitted. */
  pages: { id: number; pages: number }[];
  /** Pages that have not been written to yet, and so have no node. */
  nowhere: number;
}

export interface Numa {
  /**
   * Whether the system reports nodes; also true on a machine with one node if its kernel supports
   * NUMA.
   */
  readonly available: boolean;
  /** The present state of the nodes. Reads a few small files for each, about 50 µs. */
  topology(): NumaTopology;
  /**
   * The node with most of a view's pages (the lowest, if there are several), including pages that
   * belong to the view in part. `undefined` if none of them has been written to yet: the kernel
   * places a page at the first write, and reads see the page of zeros that all fresh memory shares.
   * About 0.1 µs a page.
   *
   * Throws `ERR_OFFHEAP_TYPE` if the argument is not a view, `ERR_OFFHEAP_UNSUPPORTED` if the
   * system forbids the query.
   */
  nodeOf(view: ArrayBufferView): number | undefined;
  /** The number of a view's pages on each node. Costs and errors as for {@link Numa.nodeOf}. */
  placement(view: ArrayBufferView): NumaPlacement;
  /** The kernel's counters, one entry for each node. All zeros without NUMA. */
  stats(): NumaCounters[];
}

/** The nodes of this machine, and the nodes of memory. */
export const numa: Numa = {
  get available() {
    return native().numaAvailable();
  },

  topology() {
    const nodes = native()
      .numaNodes()
      .map(({ id, cpus, memoryBytes, freeBytes, distances }) => ({
        id,
        cpus,
        memoryBytes,
        freeBytes,
        distances,
      }));
    return { nodes, current: native().numaCurrentNode() };
  },

  nodeOf(view) {
    let most: { id: number; pages: number } | undefined;
    for (const entry of numa.placement(view).pages) {
      if (most === undefined || entry.pages > most.pages) most = entry;
    }
    return most?.id;
  },

  placement(view) {
    if (!ArrayBuffer.isView(view)) {
      throw typeError(`a view must be a typed array or DataView, not ${describe(view)}`);
    }
    const [nowhere, ...counts] = native().numaCountPages(view) as [number, ...number[]];
    const pages = counts.map((pages, id) => ({ id, pages })).filter(({ pages }) => pages > 0);
    return { pages, nowhere };
  },

  stats() {
    return native()
      .numaNodes()
      .map(({ id, hit, miss, foreign, interleaveHit, local, other }) => ({
        id,
        hit,
        miss,
        foreign,
        interleaveHit,
        local,
        other,
      }));
  },
};
