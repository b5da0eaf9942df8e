/** The state of a NumaPool: its sections, the choice of a section, and its figures. */
import { offheapError, rangeError } from '../errors.js';
import { native } from '../native.js';
import { numa } from '../region/numa.js';
import { checkInteger } from '../region/options.js';
import type { RegionSource } from '../region/table.js';
import { BlockLists } from './block-lists.js';
import {
  ALLOCATED,
  CLASS,
  CLASS_TABLE,
  CLASS_WORDS,
  GUARDS,
  LINK,
  WORD as BOOK,
} from './fixed-pool-layout.js';
import { GUARD_BYTES } from './guards.js';
import { NODE, NODE_BYTES, ORDER, readShape, WORD, type Shape } from './numa-pool-layout.js';
import { PoolMemory } from './pool-memory.js';
import type { PoolStats, PoolTable } from './pool.js';

/** One node of a NumaPool, in {@link NumaPoolStats}. Sizes are in bytes. */
export interface NumaPoolNode {
  /** The node's number. */
  id: number;
  capacityBytes: number;
  usedBytes: number;
  /** The maximum that `usedBytes` has reached. */
  peakBytes: number;
  usedBlocks: number;
  /** Requests for this node that were served on it. */
  hits: number;
  /** Requests for another node that were served on this one, because that had no room. */
  misses: number;
  /** Requests for this node that were served on another one. */
  foreign: number;
}

/** The result of {@link NumaPool.stats}. Sizes are in bytes. */
export interface NumaPoolStats extends PoolStats {
  policy: 'node' | 'local' | 'interleave';
  /** Requests that were served on the node they were for. */
  hits: number;
  /** Requests that were served on another node, because theirs had no room. */
  misses: number;
  /** The size of the largest request that the pool can serve. */
  largestBytes: number;
  nodes: NumaPoolNode[];
}

/** The placement of the memory for a node's blocks, in pages. */
export interface NumaPoolPlacement {
  /** The node's number. */
  id: number;
  /** Pages that are on this node. */
  here: number;
  /** Pages that are on another node. */
  elsewhere: number;
  /** Pages that were never written to. */
  nowhere: number;
}

/** With the policy `local`, the number of requests between two queries of the thread's node. */
const REQUESTS_PER_QUERY = 256;
const NO_WORDS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);

/** The position of a node's record, in bytes. */
function recordOf(at: number): number {
  return 256 + NODE_BYTES * at;
}

export class NumaPoolTable implements PoolTable {
  readonly memory: PoolMemory;
  readonly shape: Shape;
  /** The number of bytes of a section. */
  readonly capacity: number;
  /** Bytes of a guard: 0 without guards. */
  readonly guard: number;
  /** The lists of each section; none once closed. */
  sections: BlockLists[];
  /** The header and the records, as words and as bytes; empty once closed. */
  head: Int32Array;
  private bytes: Uint8Array;
  /**
   * The section of the node on which this thread runs, and the number of requests until a query.
   */
  private near = 0;
  private untilQuery = 0;

  constructor(source: RegionSource) {
    const { buffer, head, bytes } = source.region;
    const shape = readShape(head, bytes.length, source.what);
    const length = shape.book.data;
    this.shape = shape;
    this.capacity = shape.capacity;
    this.guard = (shape.options & GUARDS) === 0 ? 0 : GUARD_BYTES;
    this.head = new Int32Array(buffer, 0, shape.books / 4);
    this.bytes = new Uint8Array(buffer, 0, shape.books);
    this.sections = Array.from(
      { length: shape.nodes },
      (_, at) => new BlockLists(new Int32Array(buffer, shape.books + at * length, length / 4), shape.book),
    );
    this.memory = new PoolMemory('NumaPool', source);
    this.memory.mapViews(buffer, shape.data, shape.capacity * shape.nodes);
  }

  release(): void {
    this.head = NO_WORDS;
    this.bytes = NO_BYTES;
    this.sections = [];
  }

  // ---- sections

  /** The section that the policy chooses for the next request. */
  preferredSection(): number {
    const { shape, head } = this;
    if (shape.nodes === 1 || shape.policy === 'node') return 0;
    if (shape.policy === 'local') {
      if (this.untilQuery === 0) {
        this.untilQuery = REQUESTS_PER_QUERY;
        this.near = native().numapoolNear(this.memory.region.bytes);
      }
      this.untilQuery--;
      return this.near;
    }
    const turn = head[WORD.turn] >>> 0;
    const at = turn < shape.nodes ? turn : 0;
    head[WORD.turn] = at + 1 < shape.nodes ? at + 1 : 0;
    return at;
  }

  /** The section of a node; throws if the pool has no memory there. */
  sectionOf(node: unknown): number {
    const id = checkInteger(node, 'node', 0, 1023);
    for (let at = 0; at < this.sections.length; at++) if (this.nodeId(at) === id) return at;
    throw rangeError(`this NumaPool has no memory on node ${id}`);
  }

  /** The section that a request for section `first` tries as number `place`. */
  orderedSection(first: number, place: number): number {
    const at = this.bytes[recordOf(first) + ORDER + place];
    if (at < this.sections.length) return at;
    throw offheapError(
      'ERR_OFFHEAP_CORRUPT',
      'the order of nodes of this NumaPool contains an invalid index',
    );
  }

  /** The number of a section's node. */
  nodeId(at: number): number {
    return this.head[recordOf(at) / 4 + NODE.id];
  }

  /** Adds 1 to a 64-bit counter of a section. */
  count(at: number, counter: number): void {
    const { head } = this;
    const word = recordOf(at) / 4 + counter;
    const low = (head[word] + 1) | 0;
    head[word] = low;
    if (low === 0) head[word + 1]++;
  }

  // ---- blocks

  /**
   * The allocated block at an offset: its section, its unit there, and its size class. Throws for
   * any other offset.
   */
  find(offset: unknown): { at: number; unit: number; ofClass: number } {
    const { memory } = this;
    const number = typeof offset === 'number' && offset >= 0 && offset < memory.u8.length ? offset : -1;
    const at = Math.floor(number / this.capacity);
    const unit = (number - at * this.capacity) / 64;
    if (number < 0 || Math.floor(unit) !== unit) throw memory.notBlockError(offset);
    const { book } = this.shape;
    const word = this.sections[at].words[book.unitWords + unit];
    if ((word & ALLOCATED) === 0) throw memory.notAllocatedError(offset);
    const ofClass = word & LINK;
    if (ofClass >= book.classes.length || unit % book.classes[ofClass].units !== 0) {
      throw offheapError('ERR_OFFHEAP_CORRUPT', `the size class of the block at ${number} is invalid`);
    }
    return { at, unit, ofClass };
  }

  /** With guards: the number of bytes that were requested. */
  requestedBytes(section: BlockLists, unit: number, size: number): number {
    return Math.min(section.words[this.shape.book.requested + unit] >>> 0, size - GUARD_BYTES);
  }

  roomAt(offset: number): number {
    this.memory.checkOpen();
    const { at, unit, ofClass } = this.find(offset);
    const { size } = this.shape.book.classes[ofClass];
    return this.guard === 0 ? size : this.requestedBytes(this.sections[at], unit, size);
  }

  // ---- figures

  /** See {@link NumaPool.nodeOf}. */
  nodeOf(offset: unknown): number {
    const { memory } = this;
    memory.checkOpen();
    if (typeof offset !== 'number' || !(offset >= 0 && offset < memory.u8.length)) {
      throw memory.notBlockError(offset);
    }
    return this.nodeId(Math.floor(offset / this.capacity));
  }

  /** See {@link NumaPool.placement}. */
  placement(): NumaPoolPlacement[] {
    this.memory.checkOpen();
    return this.sections.map((_, at) => {
      const id = this.nodeId(at);
      const view = this.memory.u8.subarray(at * this.capacity, (at + 1) * this.capacity);
      const { pages, nowhere } = numa.placement(view);
      const all = pages.reduce((sum, entry) => sum + entry.pages, 0);
      const here = pages.find((entry) => entry.id === id)?.pages ?? 0;
      return { id, here, elsewhere: all - here, nowhere };
    });
  }

  stats(): NumaPoolStats {
    this.memory.checkOpen();
    const nodes = this.sections.map((_, at) => this.nodeStats(at));
    const sum = (of: (node: NumaPoolNode) => number): number =>
      nodes.reduce((all, node) => all + of(node), 0);
    return {
      byteLength: this.memory.region.buffer.byteLength,
      capacityBytes: sum((node) => node.capacityBytes),
      usedBytes: sum((node) => node.usedBytes),
      usedBlocks: sum((node) => node.usedBlocks),
      failures: this.head[WORD.failures] >>> 0,
      policy: this.shape.policy,
      hits: sum((node) => node.hits),
      misses: sum((node) => node.misses),
      largestBytes: this.shape.largest,
      nodes,
    };
  }

  private nodeStats(at: number): NumaPoolNode {
    const { head, capacity } = this;
    const { words } = this.sections[at];
    const counter = (word: number): number => {
      const low = recordOf(at) / 4 + word;
      return (head[low] >>> 0) + (head[low + 1] >>> 0) * 2 ** 32;
    };
    let usedBlocks = 0;
    for (let i = 0; i < this.shape.book.classes.length; i++) {
      usedBlocks += words[CLASS_TABLE + CLASS_WORDS * i + CLASS.used] >>> 0;
    }
    return {
      id: this.nodeId(at),
      capacityBytes: capacity,
      usedBytes: (words[BOOK.used] >>> 0) * 64,
      peakBytes: (words[BOOK.peak] >>> 0) * 64,
      usedBlocks,
      hits: counter(NODE.hits),
      misses: counter(NODE.misses),
      foreign: counter(NODE.foreign),
    };
  }
}
