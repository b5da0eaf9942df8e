/**
 * NumaPool: a pool with memory on each NUMA node. `docs/formats/pools.md` has the bytes,
 * `native/core/src/pools/numa/` the same in Rust.
 *
 * The data is one section for each node, placed there (`mbind`) when the pool is made; each is cut
 * as a FixedPool, whose bookkeeping stands before all data. A request goes to the section that the
 * policy says, and if that has no room, to the nearest one that has: a miss. An alloc and a free
 * take eleven times what a FixedPool takes (`npm run bench -- pools`): the section's choice, its
 * counters and the page's touch are plain code around the same lists.
 *
 * No libnuma: the three system calls that placing and asking need are made by the Rust core itself.
 * A library that has to be installed, or found at run time, would be one more way for the package
 * not to load; `native/core/src/region/numa/` says more.
 */
import { offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { numa } from '../region/numa.js';
import { booleanOption, checkInteger, describe, integerOption, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { attachRegion, shareRegion, type Token } from '../region/token.js';
import {
  ALLOCATED,
  CLASS,
  CLASS_TABLE,
  CLASS_WORDS,
  GUARDS,
  LINK,
  WORD as BOOK,
  ZERO_ON_FREE,
} from './fixed-layout.js';
import { FixedTable } from './fixed-table.js';
import {
  classOf,
  MAX_CAPACITY,
  MAX_NODES,
  NODE,
  NODE_BYTES,
  ORDER,
  POLICIES,
  readShape,
  WORD,
  type PolicyName,
  type Shape,
} from './numa-layout.js';
import {
  badSize,
  brokenGuard,
  GUARD_BYTES,
  guardError,
  isSize,
  NO_ROOM,
  Pool,
  SAFETY_OPTIONS,
  writeGuard,
  zero,
  type NoRoom,
  type Offset,
  type PoolStats,
  type SafetyOptions,
} from './pool.js';

/** Where a NumaPool serves requests: where the thread runs, or on all nodes in turns. */
export type NumaPolicy = 'local' | 'interleave';

export interface NumaPoolOptions extends SafetyOptions {
  /**
   * Where blocks are: on the node with this number; `'local'`, the default, on the node where the
   * thread runs, as long as that has room; or `'interleave'`, on all nodes in turns, block by
   * block.
   */
  node?: number | NumaPolicy;
  /** The same as `node`, for the two that are no number. */
  policy?: NumaPolicy;
  /**
   * Bytes of blocks on each node. Default: 64 MiB. Address space for all of it is reserved at once;
   * memory is taken as it is needed. Rounded up to a multiple of 64 KiB and of the largest block,
   * which has an eighth of it at least and half at most.
   */
  capacityBytes?: number;
  /** For the policies: these nodes, 64 at most, instead of all that have memory. */
  nodes?: readonly number[];
  /** Advise the system to back the pool with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Take all memory now instead of at the first touch, so that its places are settled. Default:
   * false.
   */
  populate?: boolean;
}

/** One node of a NumaPool, in {@link NumaPoolStats}. Sizes are in bytes. */
export interface NumaPoolNode {
  /** The node's number. */
  id: number;
  capacityBytes: number;
  usedBytes: number;
  /** The most that `usedBytes` has been. */
  peakBytes: number;
  usedBlocks: number;
  /** Requests that were to be served here, and were. */
  hits: number;
  /** Requests that were to be served elsewhere, and were served here, for lack of room there. */
  misses: number;
  /** Requests that were to be served here, and were served elsewhere. */
  foreign: number;
}

/** What {@link NumaPool.stats} tells. Sizes are in bytes. */
export interface NumaPoolStats extends PoolStats {
  policy: 'node' | NumaPolicy;
  /** Requests that were served on the node where they were to be. */
  hits: number;
  /** Requests that were served on another one, for lack of room there. */
  misses: number;
  /** The largest request that can be served. */
  largestBytes: number;
  nodes: NumaPoolNode[];
}

/** Where the pages of a node's blocks are, in pages. */
export interface NumaPoolPlacement {
  /** The node's number. */
  id: number;
  /** Pages that are on this node. */
  here: number;
  /** Pages that are on another one. */
  elsewhere: number;
  /** Pages that nobody has written to yet. */
  nowhere: number;
}

/** After so many requests a pool with the policy `local` asks anew where its thread runs. */
const ASK_AGAIN = 256;
const NO_WORDS = new Int32Array(0);
const OPTIONS = ['node', 'policy', 'capacityBytes', 'nodes', 'hugePages', 'populate', ...SAFETY_OPTIONS];

/**
 * Memory on the node where it is used.
 *
 * ```ts
 * const pool = new NumaPool({ node: 'local', capacityBytes: 2 ** 26 });
 * const at = pool.alloc(4096);
 * pool.f64[at / 8] = 1.5;
 * numa.nodeOf(pool.view(at, 4096)) === pool.nodeOf(at); // the kernel agrees
 * pool.free(at);
 * ```
 *
 * One thread allocates and frees: on a machine with several nodes make a pool in each worker, and
 * hand blocks over; other threads that {@link NumaPool.attach} see the contents of all blocks.
 * Where there is no NUMA there is one node, 0, and all is as usual.
 *
 * Blocks have 64, 128, 256 ... 4096, 16,384, 65,536 ... bytes (times 4 from there on) and begin at
 * multiples of their size; with guards, 16 of them are the pool's.
 */
export class NumaPool extends Pool {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'NumaPool', configurable: true });
  }

  /** Header and records, as words and bytes. */
  private head: Int32Array = NO_WORDS;
  private bytes: Uint8Array = new Uint8Array(0);
  private shape!: Shape;
  private sections: FixedTable[] = [];
  private largest = 0;
  private capacity = 1;
  private guard = 0;
  /** Where this thread runs, as a section, and for how many requests that is good. */
  private near = 0;
  private goodFor = 0;
  private readonly region: Region;
  private readonly owner: boolean;

  constructor(options?: NumaPoolOptions | NumaPolicy) {
    super();
    if ((options as unknown) instanceof Attached) {
      this.region = (options as unknown as Attached).region;
      this.owner = false;
      this.lay('the shared NumaPool');
      return;
    }
    const { policy, nodes, capacity, zeroOnFree, guards, hugePages, populate } = readPoolOptions(options);
    const addon = native();
    const number = POLICIES.indexOf(policy) + 1;
    const length = addon.numapoolRegionSize(number, nodes, capacity, zeroOnFree, guards);
    this.region = Region.fixed(length, { hugePages, numaNode: undefined });
    this.owner = true;
    addon.numapoolInit(this.region.bytes, number, nodes, capacity, zeroOnFree, guards);
    addon.numapoolPlace(this.region.bytes, populate);
    this.lay('this NumaPool');
  }

  /**
   * A pool that another thread shared: its views and `stats()`; allocating and freeing throw
   * `ERR_OFFHEAP_UNSUPPORTED`.
   */
  static attach(token: Token<'numapool'>): NumaPool {
    return new NumaPool(new Attached(attachRegion(token, 'numapool')) as unknown as NumaPoolOptions);
  }

  /** For what this thread works on alone: 64 MiB on each node, in huge pages. */
  static local(options: SafetyOptions = {}): NumaPool {
    return new NumaPool({ node: 'local', hugePages: true, ...options });
  }

  /** For what threads on all nodes read: 64 MiB on each node in turns, in huge pages. */
  static interleaved(options: SafetyOptions = {}): NumaPool {
    return new NumaPool({ node: 'interleave', hugePages: true, ...options });
  }

  private lay(what: string): void {
    const { buffer, head, bytes } = this.region;
    const shape = readShape(head, bytes.length, what);
    this.shape = shape;
    this.largest = shape.largest;
    this.capacity = shape.capacity;
    this.guard = (shape.options & GUARDS) === 0 ? 0 : GUARD_BYTES;
    this.head = new Int32Array(buffer, 0, shape.books / 4);
    this.bytes = new Uint8Array(buffer, 0, shape.books);
    const length = shape.book.data;
    this.sections = Array.from({ length: shape.nodes }, (_, at) => {
      return new FixedTable(new Int32Array(buffer, shape.books + at * length, length / 4), shape.book);
    });
    this.mount(buffer, shape.data, shape.capacity * shape.nodes);
  }

  protected get noun(): string {
    return 'NumaPool';
  }

  /**
   * A block of at least `bytes` bytes: on the node that the policy says (or on `node`, whatever the
   * policy), or if there is no room, on the nearest of the pool's nodes. Throws `ERR_OFFHEAP_FULL`
   * where none has, `ERR_OFFHEAP_RANGE` for a size that can not be, or a node that the pool has
   * not.
   */
  alloc(bytes: number, node?: number): Offset {
    const offset = this.tryAlloc(bytes, node);
    if (offset < 0) throw this.full(bytes);
    return offset as Offset;
  }

  /** As {@link NumaPool.alloc}, but -1 where there is no room. */
  tryAlloc(bytes: number, node?: number): Offset | NoRoom {
    if (!isSize(bytes)) throw badSize(bytes);
    this.checkOwner();
    const first = node === undefined ? this.first() : this.sectionOf(node);
    if (bytes <= this.largest) {
      const { sections } = this;
      const ofClass = classOf(bytes + this.guard);
      for (let place = 0; place < sections.length; place++) {
        const at = this.ordered(first, place);
        const unit = sections[at].take(ofClass);
        if (unit >= 0) {
          if (at === first) this.count(at, NODE.hits);
          else {
            this.count(at, NODE.misses);
            this.count(first, NODE.foreign);
          }
          const within = unit * 64;
          const offset = at * this.capacity + within;
          // Its page gets its place now, so that it can be asked for.
          const byte = this.u8[offset];
          this.u8[offset] = byte;
          if (this.guard !== 0) {
            sections[at].words[this.shape.book.requested + unit] = bytes;
            writeGuard(this.u8, offset + bytes, within);
          }
          return offset as Offset;
        }
        sections[at].words[BOOK.failures]++;
      }
    }
    this.head[WORD.failures]++;
    return NO_ROOM;
  }

  free(offset: number): void {
    this.checkOwner();
    const { at, unit, ofClass } = this.find(offset);
    const { book } = this.shape;
    const { size } = book.classes[ofClass];
    const section = this.sections[at];
    if (this.guard !== 0) {
      const bytes = this.requestedAt(section, unit, size);
      const broken = brokenGuard(this.u8, offset + bytes, unit * 64);
      if (broken >= 0) throw guardError(offset, bytes, broken);
    }
    if ((book.options & ZERO_ON_FREE) !== 0) zero(this.f64, offset, size);
    section.give(unit, ofClass);
  }

  /**
   * The number of the node to which the memory at an offset belongs. For where the kernel put it,
   * see {@link NumaPool.placement}.
   */
  nodeOf(offset: number): number {
    this.checkOpen();
    if (typeof offset !== 'number' || !(offset >= 0 && offset < this.u8.length)) {
      throw this.notAllocated(offset, false);
    }
    return this.idAt(Math.floor(offset / this.capacity));
  }

  /**
   * Asks the kernel where the pages of each node's blocks are (`move_pages`). About 0.1 µs a page.
   * Throws `ERR_OFFHEAP_UNSUPPORTED` where it does not say.
   */
  placement(): NumaPoolPlacement[] {
    this.checkOpen();
    return this.sections.map((_, at) => {
      const id = this.idAt(at);
      const view = this.u8.subarray(at * this.capacity, (at + 1) * this.capacity);
      const { pages, nowhere } = numa.placement(view);
      const all = pages.reduce((sum, entry) => sum + entry.pages, 0);
      const here = pages.find((entry) => entry.id === id)?.pages ?? 0;
      return { id, here, elsewhere: all - here, nowhere };
    });
  }

  /** Proves that the bookkeeping is sound; throws `ERR_OFFHEAP_CORRUPT`. O(blocks). */
  validate(): void {
    this.checkOpen();
    native().numapoolValidate(this.region.bytes);
  }

  get byteLength(): number {
    this.checkOpen();
    return this.region.buffer.byteLength;
  }

  stats(): NumaPoolStats {
    this.checkOpen();
    const nodes = this.sections.map((_, at) => this.nodeStats(at));
    const sum = (of: (node: NumaPoolNode) => number): number =>
      nodes.reduce((all, node) => all + of(node), 0);
    return {
      byteLength: this.byteLength,
      capacityBytes: sum((node) => node.capacityBytes),
      usedBytes: sum((node) => node.usedBytes),
      usedBlocks: sum((node) => node.usedBlocks),
      failures: this.head[WORD.failures] >>> 0,
      policy: this.shape.policy,
      hits: sum((node) => node.hits),
      misses: sum((node) => node.misses),
      largestBytes: this.largest,
      nodes,
    };
  }

  /**
   * A token for other threads, which see the blocks of the pool through {@link NumaPool.attach}.
   */
  share(): Token<'numapool'> {
    this.checkOpen();
    return shareRegion(this.region, 'numapool');
  }

  protected roomAt(offset: number): number {
    this.checkOpen();
    const { at, unit, ofClass } = this.find(offset);
    const { size } = this.shape.book.classes[ofClass];
    return this.guard === 0 ? size : this.requestedAt(this.sections[at], unit, size);
  }

  protected release(): void {
    this.head = NO_WORDS;
    this.bytes = new Uint8Array(0);
    this.sections = [];
    this.region.release();
  }

  // ---- which section

  /** The section that the policy says. */
  private first(): number {
    const { shape, head } = this;
    if (shape.nodes === 1 || shape.policy === 'node') return 0;
    if (shape.policy === 'local') {
      if (this.goodFor === 0) {
        this.goodFor = ASK_AGAIN;
        this.near = native().numapoolNear(this.region.bytes);
      }
      this.goodFor--;
      return this.near;
    }
    const turn = head[WORD.turn] >>> 0;
    const at = turn < shape.nodes ? turn : 0;
    head[WORD.turn] = at + 1 < shape.nodes ? at + 1 : 0;
    return at;
  }

  private sectionOf(node: unknown): number {
    const id = checkInteger(node, 'node', 0, 1023);
    for (let at = 0; at < this.sections.length; at++) if (this.idAt(at) === id) return at;
    throw rangeError(`this NumaPool has no memory on node ${id}`);
  }

  /** The section that a request for section `first` tries in place `place`. */
  private ordered(first: number, place: number): number {
    const at = this.bytes[recordOf(first) + ORDER + place];
    if (at < this.sections.length) return at;
    throw offheapError('ERR_OFFHEAP_CORRUPT', 'the order of nodes of this NumaPool names one too many');
  }

  /**
   * The allocated block at an offset: its section, its unit in there, its class. Throws for any
   * other offset.
   */
  private find(offset: unknown): { at: number; unit: number; ofClass: number } {
    const number = typeof offset === 'number' && offset >= 0 && offset < this.u8.length ? offset : -1;
    const at = Math.floor(number / this.capacity);
    const unit = (number - at * this.capacity) / 64;
    if (number < 0 || Math.floor(unit) !== unit) throw this.notAllocated(offset, false);
    const { book } = this.shape;
    const word = this.sections[at].words[book.unitWords + unit];
    if ((word & ALLOCATED) === 0) throw this.notAllocated(offset, true);
    const ofClass = word & LINK;
    if (ofClass >= book.classes.length || unit % book.classes[ofClass].units !== 0) {
      throw offheapError('ERR_OFFHEAP_CORRUPT', `the block at ${number} is of a class that can not be there`);
    }
    return { at, unit, ofClass };
  }

  /** With guards: how many bytes were asked for. */
  private requestedAt(section: FixedTable, unit: number, size: number): number {
    return Math.min(section.words[this.shape.book.requested + unit] >>> 0, size - GUARD_BYTES);
  }

  // ---- records

  private idAt(at: number): number {
    return this.head[recordOf(at) / 4 + NODE.id];
  }

  /** Counts one up, in 64 bits. */
  private count(at: number, counter: number): void {
    const { head } = this;
    const word = recordOf(at) / 4 + counter;
    const low = (head[word] + 1) | 0;
    head[word] = low;
    if (low === 0) head[word + 1]++;
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
      id: this.idAt(at),
      capacityBytes: capacity,
      usedBytes: (words[BOOK.used] >>> 0) * 64,
      peakBytes: (words[BOOK.peak] >>> 0) * 64,
      usedBlocks,
      hits: counter(NODE.hits),
      misses: counter(NODE.misses),
      foreign: counter(NODE.foreign),
    };
  }

  private checkOwner(): void {
    this.checkOpen();
    if (!this.owner) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        'this NumaPool belongs to another thread: its blocks can be used here, not allocated or freed',
      );
    }
  }
}

class Attached {
  constructor(readonly region: Region) {}
}

/** Where the record of a node is, in bytes. */
function recordOf(at: number): number {
  return 256 + NODE_BYTES * at;
}

function readPoolOptions(given: unknown) {
  const options = readOptions(typeof given === 'string' ? { node: given } : given, OPTIONS, 'NumaPool');
  if (options.node !== undefined && options.policy !== undefined) {
    throw typeError('NumaPool takes either node or policy');
  }
  const asked = options.node === undefined ? options.policy : options.node;
  const where = asked === undefined ? 'local' : asked;
  const one = options.policy === undefined && typeof where === 'number';
  if (!one && where !== 'local' && where !== 'interleave') {
    const choice =
      options.policy === undefined ? "a number, 'local' or 'interleave'" : "'local' or 'interleave'";
    const name = options.policy === undefined ? 'node' : 'policy';
    throw typeError(`${name} must be ${choice}, not ${describe(where)}`);
  }
  if (one && options.nodes !== undefined) throw typeError('nodes is for the policies, which have several');
  const policy: PolicyName = one ? 'node' : (where as NumaPolicy);
  return {
    policy,
    nodes: one ? Uint32Array.of(checkInteger(where, 'node', 0, 1023)) : readNodes(options.nodes),
    capacity: integerOption(options, 'capacityBytes', 1, MAX_CAPACITY, 2 ** 26),
    zeroOnFree: booleanOption(options, 'zeroOnFree', false),
    guards: booleanOption(options, 'guards', false),
    hugePages: booleanOption(options, 'hugePages', undefined),
    populate: booleanOption(options, 'populate', false),
  };
}

/** The numbers of nodes; none for all. */
function readNodes(list: unknown): Uint32Array {
  if (list === undefined) return new Uint32Array(0);
  if (!Array.isArray(list)) throw typeError(`nodes must be an array of numbers, not ${describe(list)}`);
  if (list.length < 1 || list.length > MAX_NODES) {
    throw rangeError(`nodes must be 1 to ${MAX_NODES} numbers, not ${list.length}`);
  }
  return Uint32Array.from(list as unknown[], (id) => checkInteger(id, 'node', 0, 1023));
}
