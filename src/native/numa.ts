/**
 * The functions of `native/binding/numa.cc`. NUMA nodes.
 */

export interface Binding {
  /** `oh_numa_available`: Whether the system reports NUMA nodes. */
  numaAvailable(): boolean;
  /** `oh_numa_node_at`: The current state of the nodes, with the kernel's counters in pages. */
  numaNodes(): ({
    id: number;
    cpus: number[];
    memoryBytes: number;
    freeBytes: number;
    distances: number[];
  } & Record<'hit' | 'miss' | 'foreign' | 'interleaveHit' | 'local' | 'other', number>)[];
  /** `oh_numa_current_node`: The node on which this thread is running. */
  numaCurrentNode(): number;
  /**
   * `oh_numa_place`: Sets the source of the pages of a view: policy 0 is the default, 1 one node, 2
   * the local node, 3 all nodes in turns.
   */
  numaPlace(bytes: ArrayBufferView, policy: number, node: number, populate: boolean): void;
  /**
   * `oh_numa_count_pages`: The number of pages of a view that have no memory yet, are on node 0, on
   * node 1, and so on.
   */
  numaCountPages(bytes: ArrayBufferView): number[];
}
