/**
 * The option `choose`: a function that selects the entries to evict.
 *
 * The map itself evicts nothing then. When native code refuses a change for want of room, entries
 * of the shard that needs it are sampled, `choose` selects some of them, they are evicted, and the
 * change is repeated. No lock is held while `choose` runs, so others may change the candidates
 * meanwhile; one that was changed is not evicted.
 *
 * The message contains the change while native code is called, and is used for the samples in
 * between. So it is saved, and the caller's code cannot change the key or the value either.
 *
 * Cost: nothing until the map is full; then a few microseconds for each sample, and the calls of
 * `choose`.
 */
import { isNativeError, isUint8Array } from 'node:util/types';
import { allocating, messageOf, offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { WIDTHS } from '../region/element.js';
import { describe } from '../region/options.js';
import { BLOB } from './keys.js';
import { DOUBLES, PAYLOAD, WORDS } from './message.js';
import type { Room, RoomMaker } from './room.js';
import type { SharedMapTable } from './table.js';

/** An entry that {@link SharedMapOptions.choose} may select. */
export interface Candidate<K> {
  key: K;
  /** Bytes of the entry, without its part of the index. */
  bytes: number;
  /** Milliseconds since 1970; `Infinity`: never. */
  expiresAt: number;
  /** As {@link SharedMap.entry} returns it. */
  version: number;
}

/** What {@link SharedMapOptions.choose} makes room for. */
export interface NeededRoom {
  /** About the bytes that candidates should make free. */
  bytes: number;
}

/** Selects the keys to evict from some candidates; see {@link SharedMapOptions.choose}. */
export type Choose<K> = (candidates: Candidate<K>[], need: NeededRoom) => Iterable<K>;

/** Calls of `choose` for one change. */
const MAX_CALLS = 10_000;
/** Chosen entries that others change before they are evicted, in a row of calls. */
const MAX_MISSED = 1000;
/** Candidates of a sample: these, or more for a change that needs the room of more entries. */
const FEWEST = 16;
const MOST = 256;
const HEADER = 32;
/** Bytes of an entry besides its key and value, roughly. */
const OVERHEAD = 16;

/** A function of the user's, and what calls it. */
export class Chooser implements RoomMaker {
  private isActive = false;

  constructor(
    private readonly table: SharedMapTable,
    private readonly choose: Choose<unknown>,
  ) {}

  check(): void {
    if (this.isActive) {
      throw offheapError('ERR_OFFHEAP_LOCKED', 'the map cannot be changed while choose runs');
    }
  }

  changeOne<T>(call: () => T): T {
    const { table } = this;
    const { words } = table.message;
    const id = idAt(table, PAYLOAD, words[WORDS.keyHead]);
    return this.change(
      {
        hash: table.hash,
        keyBytes: id.length,
        valueBytes: table.valueWords === 0 ? words[WORDS.valueHead] >>> 2 : 8,
        isKept: (other) => other === id,
      },
      call,
    );
  }

  changeByHandle<T>(handle: number, call: () => T): T {
    const { table } = this;
    const { words } = table.message;
    // The version begins with the birth, which is the first part of the handle.
    const birth = Math.floor(handle / 2 ** 31);
    return this.change(
      {
        hash: handle % 2 ** 31,
        keyBytes: 0,
        valueBytes: table.valueWords === 0 ? words[WORDS.valueHead] >>> 2 : 8,
        isKept: (_, version) => Math.floor(version / 2 ** 24) === birth,
      },
      call,
    );
  }

  change<T>(room: Room, call: () => T): T {
    this.check();
    const { table } = this;
    let saved: Uint8Array | undefined;
    for (let calls = 0; ;) {
      try {
        return call();
      } catch (error) {
        if (!isFull(error) || calls >= MAX_CALLS) throw error;
        const { keyBytes, valueBytes } = room;
        if (saved === undefined && !native().sharedmapFits(table.id, keyBytes, valueBytes)) throw error;
        saved ??= copyOf(table.message.bytes);
        calls += this.makeRoom(room, error);
        table.checkOpen();
        table.message.ensure(saved.length);
        table.message.bytes.set(saved);
      }
    }
  }

  /**
   * Evicts entries of the size of the change. Throws `error` if there are none. Returns how often
   * `choose` was called.
   */
  private makeRoom(room: Room, error: unknown): number {
    let missing = room.keyBytes + room.valueBytes + OVERHEAD;
    let candidates = new Map<string, Candidate<unknown>>();
    let missed = 0;
    for (let calls = 0; ; calls++) {
      if (missing <= 0 || calls === MAX_CALLS) return calls;
      if (candidates.size < FEWEST) candidates = this.sample(room, missing);
      if (candidates.size === 0) {
        if (calls === 0) throw error;
        return calls;
      }
      const chosen = this.chosen(candidates, missing);
      if (chosen.size === 0) {
        const message = 'the map is full, and choose returned no keys';
        throw offheapError('ERR_OFFHEAP_FULL', message, { cause: error });
      }
      for (const [id, { key, version, bytes }] of chosen) {
        if (this.evict(key, version)) missing -= bytes;
        else missed++;
        candidates.delete(id);
      }
      if (missed > MAX_MISSED) throw error;
    }
  }

  /** Evicts an entry. False if it was changed since the sample was taken. */
  private evict(key: unknown, version: number): boolean {
    const { table } = this;
    table.prepare(key);
    table.message.doubles[DOUBLES.version] = version;
    return native().sharedmapEvict(table.id) !== 0;
  }

  /** Entries of the shard, or of those after it if it has too few, by the bytes of their keys. */
  private sample(room: Room, bytes: number): Map<string, Candidate<unknown>> {
    const { table } = this;
    const found = new Map<string, Candidate<unknown>>();
    const limit = Math.min(MOST, Math.max(FEWEST, bytes >>> 6));
    let shard = room.hash & table.shardMask;
    let total = 0;
    // Each attempt that finds nothing new goes on to the next shard.
    for (let step = 0; step < 2 * table.shards + 16; step++) {
      if (found.size >= MOST || (found.size >= FEWEST && total >= 2 * bytes)) break;
      const before = found.size;
      const seed = Math.floor(Math.random() * 2 ** 32);
      const count = table.call(() => native().sharedmapSample(table.id, shard, seed, limit));
      const { words, doubles, integers } = table.message;
      let at = PAYLOAD;
      for (let i = 0; i < count; i++) {
        const head = words[at >> 2];
        const id = idAt(table, at + HEADER, head);
        const version = Number(integers[(at >> 3) + 3]);
        const time = doubles[(at >> 3) + 2];
        const size = Number(integers[(at >> 3) + 1]);
        if (!found.has(id) && !room.isKept(id, version)) {
          const key = table.keyOf(head, at + HEADER);
          found.set(id, { key, bytes: size, expiresAt: time === 0 ? Infinity : time, version });
          total += size;
        }
        at += HEADER + ((id.length + 7) & ~7);
      }
      if (found.size === before) shard = (shard + 1) & table.shardMask;
    }
    return found;
  }

  /** The candidates that `choose` selects. All keys that it returns are checked first. */
  private chosen(
    candidates: Map<string, Candidate<unknown>>,
    bytes: number,
  ): Map<string, Candidate<unknown>> {
    const { table } = this;
    const keys = this.keys(candidates, bytes);
    table.checkOpen();
    const chosen = new Map<string, Candidate<unknown>>();
    for (const key of keys) {
      const id = this.idOf(key);
      const candidate = id === undefined ? undefined : candidates.get(id);
      if (id === undefined || candidate === undefined) {
        throw rangeError(`choose returned ${describe(key)}, which is not the key of a candidate`);
      }
      chosen.set(id, candidate);
    }
    return chosen;
  }

  /** Runs the caller's code. */
  private keys(candidates: Map<string, Candidate<unknown>>, bytes: number): unknown[] {
    const keys: unknown[] = [];
    this.isActive = true;
    try {
      // Copies, so that the versions and keys that are compared are those of the sample.
      const result: unknown = this.choose(
        [...candidates.values()].map((candidate) => {
          const { key } = candidate;
          return { ...candidate, key: isUint8Array(key) ? new Uint8Array(key) : key };
        }),
        { bytes },
      );
      const isIterable =
        typeof result === 'object' &&
        typeof (result as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] === 'function';
      if (!isIterable) throw typeError(`choose must return an array of keys, not ${describe(result)}`);
      for (const key of result as Iterable<unknown>) {
        if (keys.push(key) > candidates.size) {
          throw rangeError(`choose returned more keys than there are candidates: ${candidates.size}`);
        }
      }
      return keys;
    } catch (cause) {
      const code = isNativeError(cause) ? (cause as { code?: unknown }).code : undefined;
      if (code === 'ERR_OFFHEAP_TYPE' || code === 'ERR_OFFHEAP_RANGE') throw cause;
      const message = `the map is full, and choose failed: ${messageOf(cause)}`;
      throw offheapError('ERR_OFFHEAP_FULL', message, { cause });
    } finally {
      this.isActive = false;
    }
  }

  /** The bytes of a key that `choose` returned, as a string; `undefined` if it is too long. */
  private idOf(key: unknown): string | undefined {
    const { table } = this;
    try {
      if (!table.prepareLookup(key)) return undefined;
    } catch (cause) {
      throw typeError(`choose returned ${describe(key)}: ${messageOf(cause)}`, { cause });
    }
    return idAt(table, PAYLOAD, table.message.words[WORDS.keyHead]);
  }
}

/** The bytes of the key in the message at byte `at`, as a string. */
function idAt(table: SharedMapTable, at: number, head: number): string {
  const length = table.keyClass === BLOB ? head >>> 2 : WIDTHS[table.keyType];
  return table.message.bytes.latin1Slice(at, at + length);
}

function isFull(error: unknown): boolean {
  return isNativeError(error) && (error as { code?: unknown }).code === 'ERR_OFFHEAP_FULL';
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return allocating('a copy of a message', bytes.length, () => new Uint8Array(bytes));
}

/** Gives a table the function that was passed as the option `choose`. */
export function useChooser(table: SharedMapTable, choose: unknown, evicts: string | undefined): void {
  if (choose === undefined) return;
  if (typeof choose !== 'function') throw typeError(`choose must be a function, not ${describe(choose)}`);
  if (evicts !== undefined) {
    throw typeError(
      `choose needs a map that does not evict, and this one has the policy ${describe(evicts)}`,
    );
  }
  table.chooser = new Chooser(table, choose as Choose<unknown>);
}
