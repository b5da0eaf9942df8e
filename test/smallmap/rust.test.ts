/**
 * TypeScript and Rust on the same bytes: single insertions and bulk insertions produce the same
 * region, byte for byte, and both find the same entries in it, regardless of earlier deletions,
 * clears, releases and promotions. Also the golden bytes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { SmallMapArena, type SmallMapId } from '../../src/smallmap/index.js';
import {
  SMALL_KEY_TYPES,
  SMALL_VALUE_TYPES,
  type SmallKeyType,
  type SmallValueType,
} from '../../src/smallmap/schema.js';
import { Random } from '../helpers/random.js';
import { unseal } from '../helpers/words.js';
import { normal, smallKey, type AnyArena } from './arenas.js';

/** An arena with a history of changes. */
function used(key: SmallKeyType, value: SmallValueType): AnyArena {
  const arena = new SmallMapArena({ key, value, capacity: 60, seed: 5n }) as AnyArena;
  const ids = Array.from({ length: 30 }, () => arena.create());
  ids.forEach((id, at) => {
    for (let n = 0; n < at % 12; n++) arena.set(id, smallKey(key, n), smallKey(value as SmallKeyType, n));
  });
  for (let at = 0; at < 30; at += 7) arena.release(ids[at]);
  for (let at = 1; at < 30; at += 7) arena.clear(ids[at]);
  for (let at = 2; at < 30; at += 3) arena.delete(ids[at % 7 === 0 ? at + 1 : at], smallKey(key, 1));
  // Reserve room for everything that follows, so that the points of growth do not depend on the
  // caller.
  arena.reserve(200);
  return arena;
}

describe.each(
  SMALL_KEY_TYPES.filter((type) => type !== 'string').map(
    (key, at) => [key, SMALL_VALUE_TYPES.filter((type) => type !== 'string')[at]] as const,
  ),
)('an arena from %s to %s', (key, value) => {
  it('is the same after single and after bulk insertions', () => {
    const [single, bulk] = [used(key, value), used(key, value)] as const;
    expect(single.toBytes()).toEqual(bulk.toBytes());
    const random = new Random(9);
    const alive = [...single.ids()];
    const ids = Array.from({ length: 150 }, () => random.pick(alive));
    const keys = ids.map(() => smallKey(key, random.below(14)));
    const values = ids.map((_, n) =>
      value === 'bool' ? n % 2 === 0 : smallKey(value as SmallKeyType, n % 50),
    );
    ids.forEach((id, i) => single.set(id, keys[i], values[i]));
    bulk.setMany(ids, keys, values);
    expect(bulk.stats().promotedCount).toBeGreaterThan(3);
    // Unused slots and links are equal too, because both sides take the same steps.
    expect(Buffer.compare(single.toBytes(), bulk.toBytes())).toBe(0);
    const all = alive.flatMap((id) => Array.from({ length: 16 }, (_, n) => [id, smallKey(key, n)] as const));
    const found = bulk.getMany(
      all.map(([id]) => id),
      all.map(([, k]) => k),
      new Array(all.length).fill(undefined),
    );
    expect(found).toEqual(all.map(([id, k]) => single.get(id, k)));
  });
});

/**
 * All kinds of changes, starting with one map, in the order of `golden_steps` in
 * native/core/tests/smallmap_arena.rs: sets, deletes, clears, releases, promotions, growth. The
 * file contains digests of the bytes after every 50 steps.
 */
describe('the steps of the Rust test', () => {
  const EVERY = 50;
  const DIGESTS = 12;
  const golden = (version: number): Buffer =>
    readFileSync(join(packageRoot(), 'test', 'golden', version === 1 ? '' : 'v2', 'smallmap-steps.bin'));
  const types = [
    ['u8', 'u8'],
    ['u16', 'bool'],
    ['u32', 'f64'],
    ['i64', 'u8'],
    ['f64', 'i32'],
    ['string', 'string'],
  ] as const;
  const cases = [1, 2].flatMap((version) => types.map(([key, value]) => ({ version, key, value })));

  it.each(cases)('an arena of version $version from $key to $value', ({ version, key, value }) => {
    const first = ['u8', 'u16', 'u32', 'i64', 'f64', 'string'].indexOf(key) * DIGESTS;
    const random = xorshift(2463534242);
    const made = new SmallMapArena({ key, value, capacity: 1, seed: 0x89abcdef01234567n }) as AnyArena;
    // An empty arena becomes one of version 1 by its header, and stays one.
    const bytes = unseal(made.toBytes());
    new Uint32Array(bytes.buffer)[3] = version;
    const arena = SmallMapArena.fromBytes(bytes) as AnyArena;
    const alive = [arena.create()];
    for (let step = 1; step <= EVERY * DIGESTS; step++) {
      const kind = random(100);
      const which = random(alive.length);
      const id = alive[which];
      const k = random(14);
      const v = item(value, random(50), 'value');
      if (kind < 8) {
        alive.push(arena.create());
      } else if (kind < 60) {
        arena.set(id, item(key, k, 'key'), v);
      } else if (kind < 88) {
        arena.delete(id, item(key, k, 'key'));
      } else if (kind < 92) {
        arena.clear(id);
      } else if (kind < 95 && alive.length > 1) {
        arena.release(id);
        alive[which] = alive.at(-1)!;
        alive.pop();
      } else {
        for (let n = 0; n < 11; n++) arena.set(id, item(key, n, 'key'), v);
      }
      if (step % EVERY !== 0) continue;
      arena.validate();
      const at = first + step / EVERY - 1;
      expect({ step, digest: digest(withoutSequence(arena.toBytes())) }).toEqual({
        step,
        digest: golden(version).readUInt32LE(at * 4),
      });
    }
    expect(arena.stats()).toMatchObject({ promotedCount: expect.toSatisfy((n) => n > 0) as number });
  });

  function xorshift(seed: number): (limit: number) => number {
    let x = seed;
    return (limit) => {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return (x >>> 0) % limit;
    };
  }

  function item(type: SmallKeyType | SmallValueType, n: number, name: string): unknown {
    if (type === 'string') return `${name} ${n}`;
    if (type === 'bool') return n % 2 === 1;
    if (type === 'i64') return BigInt.asIntN(64, BigInt(n) * 0x9e3779b97f4a7c15n);
    if (type !== 'f64') return n;
    return n === 3 ? NaN : n === 4 ? -0 : n / 4 - 3;
  }

  /** FNV-1a over the words. */
  function digest(bytes: Uint8Array): number {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    return words.reduce((hash, word) => Math.imul(hash ^ word, 0x01000193), 0x811c9dc5) >>> 0;
  }
});

/**
 * The golden files described in test/golden/README.md, which native/core/tests/smallmap_arena.rs
 * writes.
 */
describe('golden bytes', () => {
  const golden = (name: string, folder: string): Uint8Array =>
    new Uint8Array(readFileSync(join(packageRoot(), 'test', 'golden', folder, `smallmap-${name}.bin`)));
  const folders = ['', 'v2'];
  const seed = 0x89abcdef01234567n;

  it.each(folders)('of numbers are read and reproduced, folder %j', (folder) => {
    const made = new SmallMapArena({ key: 'u32', value: 'f64', capacity: 20, seed });
    for (let map = 0; map < 12; map++) {
      const id = made.create();
      for (let n = 0; n < map; n++) made.set(id, Math.imul(n, 2654435761) >>> 0, map + n / 2);
    }
    made.delete(11 as SmallMapId, 0);
    made.delete(6 as SmallMapId, 0);
    made.release(5 as SmallMapId);
    made.clear(10 as SmallMapId);
    const read = SmallMapArena.fromBytes<'u32', 'f64'>(golden('numbers', folder));
    read.validate();
    expect([...read.ids()]).toEqual([...made.ids()]);
    for (const id of made.ids()) expect([...read.entries(id)]).toEqual([...made.entries(id)]);
    if (folder === '') return;
    expect(withoutSequence(made.toBytes())).toEqual(withoutSequence(golden('numbers', folder)));
  });

  it.each(folders)('of strings are read and reproduced, folder %j', (folder) => {
    const read = SmallMapArena.fromBytes<'string', 'string'>(golden('strings', folder));
    read.validate();
    expect([...read.entries(0 as SmallMapId)]).toEqual([
      ['', 'empty'],
      ['grün', 'größe'],
      ['\ud83d', '😀'],
    ]);
    expect(read.get(0 as SmallMapId, normal('string', 'grün') as string)).toBe('größe');
    read.set(read.create(), 'more', 'x');
    read.validate();
  });
});

/**
 * Clears the fields that copies do not preserve: the sequence, which counts rearrangements, and the
 * checksum.
 */
function withoutSequence(bytes: Uint8Array): Uint8Array {
  const copy = unseal(bytes.slice());
  new Uint32Array(copy.buffer)[6] = 0;
  return copy;
}
