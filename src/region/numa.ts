/**
 * NUMA: which nodes this machine has, where pages are, and how well placing them worked. The system
 * calls and files behind it are told in `native/core/src/region/numa/`; they need no libnuma.
 *
 * Where there is no NUMA (another system than Linux, a kernel without it, a container that forbids
 * it) the machine is one node, 0, with everything, {@link Numa.available} is false, and every page
 * is on node 0.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { describe } from './options.js';

/** One node. */
export interface NumaNode {
  /** Its number. Numbers may have gaps. */
  id: number;
  /** The logical processors that are near; a node may have none. */
  cpus: number[];
  /** Bytes of memory in all; a node may have none. */
  memoryBytes: number;
  /** Bytes that are free at this moment. */
  freeBytes: number;
  /**
   * How far the nodes are from this one, in the order of the topology: 10 for itself, 20 for twice
   * as far.
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
 * What became of requests for pages since the machine started: the kernel's counters, in pages, of
 * all processes.
 */
export interface NumaCounters {
  id: number;
  /** Wanted on this node, and taken from it. */
  hit: number;
  /** Wanted elsewhere, and taken from this node, for lack of room there. */
  miss: number;
  /** Wanted on this node, and taken from elsewhere. */
  foreign: number;
  /** Interleaved, wanted on this node, and taken from it. */
  interleaveHit: number;
  /** Taken from this node by a thread that ran on it. */
  local: number;
  /** Taken from this node by a thread that ran elsewhere. */
  other: number;
}

/** Where the pages of a run of memory are. */
export interface NumaPlacement {
  /** How many pages are on which node; nodes without any are left out. */
  pages: { id: number; pages: number }[];
  /** Pages that nobody has written to yet: they have no place. */
  nowhere: number;
}

export interface Numa {
  /**
   * Whether the system tells about nodes; true on a machine with one node, too, if its kernel knows
   * about them.
   */
  readonly available: boolean;
  /** The nodes as they are now. Reads a few small files for each, some 50 µs. */
  topology(): NumaTopology;
  /**
   * The node that holds most of a view's pages (the lowest, if there are several), those that
   * belong to the view in part included. `undefined` if none of them has been written to yet: the
   * kernel gives a page its place at the first write, and reading shows the one page of zeros that
   * all fresh memory shares. About 0.1 µs a page.
   *
   * Throws `ERR_OFFHEAP_TYPE` for what is no view, `ERR_OFFHEAP_UNSUPPORTED` where the system
   * forbids asking.
   */
  nodeOf(view: ArrayBufferView): number | undefined;
  /** On which nodes a view's pages are, and how many. Costs and throws as {@link Numa.nodeOf}. */
  placement(view: ArrayBufferView): NumaPlacement;
  /** The kernel's counters, one entry for each node. All zeros where there is no NUMA. */
  stats(): NumaCounters[];
}

/** What is known about this machine's nodes, and about where memory is. */
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
