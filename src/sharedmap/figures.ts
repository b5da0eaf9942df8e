/** Figures that take a look at entries: sizes, and the keys that are read most often. */
import { native } from '../native.js';
import { HEAD, PARTICIPANT } from './layout.js';
import { visitSizes } from './iteration.js';
import type { SharedMapTable } from './table.js';

/** Entries of about one size. */
export interface SizeClass {
  /** Keys and values of these entries have at most this many bytes together: a power of two. */
  bytes: number;
  entries: number;
  /** Bytes of their keys and values. */
  total: number;
}

/** A key that is read often. */
export interface HotKey<K> {
  key: K;
  /** About how many of the last reads of all participants were of this key. */
  count: number;
}

/** A thread that has attached a map. */
export interface Participant {
  /** The id of its process, as that sees it: a PID namespace has ids of its own. */
  pid: number;
  /** An id of the thread. */
  thread: number;
  /** Milliseconds since 1970. */
  attached: number;
  hits: number;
  misses: number;
}

/** The threads that write and read the map. Those that only read are not among them. */
export function participantsOf({ words, doubles }: SharedMapTable): Participant[] {
  const first = words[HEAD.participantsAt] >>> 2;
  const found: Participant[] = [];
  for (let slot = 0; slot < words[HEAD.participants]; slot++) {
    const at = first + slot * PARTICIPANT.words;
    if (at + PARTICIPANT.words > words.length || (words[at] & 1) === 0) continue;
    const time = doubles[at / 2 + PARTICIPANT.attached / 2];
    found.push({
      pid: words[at + PARTICIPANT.pid] >>> 0,
      thread: words[at + PARTICIPANT.thread] >>> 0,
      // The latest time that a Date can have.
      attached: time >= 0 && time <= 8.64e15 ? time : 0,
      hits: doubles[at / 2 + PARTICIPANT.hits / 2],
      misses: doubles[at / 2 + PARTICIPANT.misses / 2],
    });
  }
  return found;
}

/** How many entries have which size, from the smallest on. O(entries); others may write. */
export function sizesOf(table: SharedMapTable): SizeClass[] {
  const classes = new Map<number, SizeClass>();
  visitSizes(table, (size) => {
    const bytes = size <= 1 ? 1 : 2 ** (32 - Math.clz32(size - 1));
    let found = classes.get(bytes);
    if (found === undefined) classes.set(bytes, (found = { bytes, entries: 0, total: 0 }));
    found.entries++;
    found.total += size;
  });
  return [...classes.values()].sort((a, b) => a.bytes - b.bytes);
}

/** The keys of the hashes that participants sampled, the most frequent first. */
export function hotKeysOf(table: SharedMapTable, most: number): HotKey<unknown>[] {
  const counts = [...countSamples(table)].sort(([, a], [, b]) => b - a);
  const found: HotKey<unknown>[] = [];
  for (const [hash, count] of counts) {
    if (found.length >= most) break;
    for (const key of keysOf(table, hash)) found.push({ key, count: count * PARTICIPANT.sampleOneIn });
  }
  return found.slice(0, most);
}

/** How often each hash is among the last samples of the participants. */
function countSamples({ words }: SharedMapTable): Map<number, number> {
  const counts = new Map<number, number>();
  const first = words[HEAD.participantsAt] >>> 2;
  for (let slot = 0; slot < words[HEAD.participants]; slot++) {
    const at = first + slot * PARTICIPANT.words;
    if (words[at] === 0 || at + PARTICIPANT.words > words.length) continue;
    const count = Math.min(words[at + PARTICIPANT.sample] >>> 0, PARTICIPANT.sampleCount);
    for (let i = 0; i < count; i++) {
      const hash = words[at + PARTICIPANT.samples + i];
      counts.set(hash, (counts.get(hash) ?? 0) + 1);
    }
  }
  return counts;
}

/** The keys with a hash: one, or none if it was deleted; rarely more. */
function keysOf(table: SharedMapTable, hash: number): unknown[] {
  table.hash = hash;
  const keys: unknown[] = [];
  for (const birth of table.birthsOf()) {
    const handle = birth * 2 ** 31 + (hash & 0x7fffffff);
    const length = table.call(() => native().sharedmapKeyByHandle(table.id, handle));
    if (length === 0) continue;
    const key = table.keyFromResult(length - 1);
    // The handle names any entry with the tag of the hash.
    table.encode(key);
    if (table.hash === hash) keys.push(key);
  }
  return keys;
}
