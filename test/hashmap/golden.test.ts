/**
 * Golden bytes (test/golden/README.md), from TypeScript: it reads what Rust wrote, operation by
 * operation it makes the same bytes, and a map made out of them goes on working.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HashMap, type Handle } from '../../src/hashmap/index.js';
import { packageRoot } from '../../src/native.js';
import { header, sections, WORD } from '../helpers/words.js';

/** Words 9 and 10: the low one is the first. */
const seed = 0x89abcdef01234567n;
const file = (name: string, folder = 'v2'): Uint8Array =>
  new Uint8Array(readFileSync(join(packageRoot(), 'test', 'golden', folder, `hashmap-${name}.bin`)));
/** Both versions of the format. */
const versions = [
  ['1', ''],
  ['2', 'v2'],
] as const;

/**
 * The bytes without the words that a copy does not keep (sequence, checksum), and without the
 * unused parts of columns and heap.
 */
function meaning(bytes: Uint8Array, valueWidth: number): Record<string, unknown> {
  const copy = bytes.slice();
  const words = header(copy);
  words[WORD.sequence] = 0;
  words[WORD.flags] = 0;
  words[8] = 0;
  const { index, dead, keys, values, heap, ...slots } = sections(copy, 4, valueWidth);
  const used = words[WORD.used];
  const part = ({ at, length }: { at: number; length: number }): Uint8Array => copy.slice(at, at + length);
  return {
    header: part({ at: 0, length: 256 }),
    index: part(index),
    dead: part(dead),
    keys: part({ at: keys.at, length: used * 4 }),
    values: part({ at: values.at, length: used * valueWidth }),
    slotOfEntry: part({ at: slots.slotOfEntry.at, length: slots.slotOfEntry.length === 0 ? 0 : used * 4 }),
    entryOfSlot: part({ at: slots.entryOfSlot.at, length: words[WORD.slotsUsed] * 4 }),
    generations: part({ at: slots.generations.at, length: words[WORD.slotsUsed] * 4 }),
    heap: part({ at: heap.at, length: words[WORD.heapUsed] }),
    length: copy.length,
  };
}

const key = (i: number): number => Math.imul(i, 2654435761) >>> 0;

const texts: [string, string][] = [
  ['', 'empty'],
  ['a\0b', 'nul'],
  ['\ud83d', 'lone'],
  ['grün', 'größe'],
  ['日本', ''],
  ['😀', '🎉'],
  ...Array.from({ length: 34 }, (_, i): [string, string] => [`key ${i + 6}`, `v${i + 6}`]),
];

describe('numbers', () => {
  const made = new HashMap({ key: 'u32', value: 'f64', capacity: 100, seed });
  for (let i = 0; i < 100; i++) made.set(key(i), i + 0.5);
  for (let i = 2; i < 100; i += 3) made.delete(key(i));

  it.each(versions)('are read, version %s', (_, folder) => {
    const map = HashMap.fromBytes<'u32', 'f64'>(file('numbers', folder));
    map.validate();
    expect(map.size).toBe(67);
    expect([...map]).toEqual([...made]);
    for (let i = 0; i < 100; i++) expect(map.get(key(i))).toBe(i % 3 === 2 ? undefined : i + 0.5);
  });

  it('are made the same by single operations, and by bulk calls', () => {
    expect(meaning(made.toBytes(), 8)).toEqual(meaning(file('numbers'), 8));
    const bulk = new HashMap({ key: 'u32', value: 'f64', capacity: 100, seed });
    const keys = Uint32Array.from({ length: 100 }, (_, i) => key(i));
    bulk.setMany(
      keys,
      Float64Array.from(keys, (_, i) => i + 0.5),
    );
    bulk.deleteMany(keys.filter((_, i) => i % 3 === 2));
    expect(meaning(bulk.toBytes(), 8)).toEqual(meaning(file('numbers'), 8));
  });

  it.each(versions)('can be changed on, version %s', (_, folder) => {
    const map = HashMap.fromBytes<'u32', 'f64'>(file('numbers', folder));
    for (let i = 0; i < 500; i++) map.set(i, i);
    map.validate();
    expect(map.columns().keys).toEqual(
      Uint32Array.from(new Map([...made, ...[...Array(500).keys()].map((i) => [i, i] as const)]).keys()),
    );
  });
});

describe('strings', () => {
  it.each(versions)('are read, version %s', (_, folder) => {
    const map = HashMap.fromBytes<'string', 'string'>(file('strings', folder));
    map.validate();
    expect([...map]).toEqual(texts);
    for (const [key, value] of texts) expect(map.get(key)).toBe(value);
  });

  it('are made the same by single operations', () => {
    // 40 entries have room for 2 × 16 bytes each from the start, which is the heap of the golden
    // file.
    const made = new HashMap({ key: 'string', value: 'string', capacity: 40, seed }, texts);
    expect(meaning(made.toBytes(), 4)).toEqual(meaning(file('strings'), 4));
  });
});

describe('handles', () => {
  const named = 4_294_967_301 as Handle;
  const late = 8_589_934_599 as Handle;
  const check = (map: HashMap<'u32', 'u32'>): void => {
    map.validate();
    expect(map.size).toBe(15);
    expect(map.keyByHandle(named)).toBe(5);
    expect(map.getByHandle(named)).toBe(25);
    expect(map.handleOf(5)).toBe(named);
    expect(map.handleOf(100)).toBe(late);
    for (const gone of [0, 4, 7, 8, 12, 16]) expect(map.hasHandle((2 ** 32 + gone) as Handle)).toBe(false);
  };

  it.each(versions)('are read, version %s', (_, folder) => {
    check(HashMap.fromBytes<'u32', 'u32'>(file('handles', folder)));
  });

  it('are made the same', () => {
    const made = new HashMap({ key: 'u32', value: 'u32', capacity: 20, seed });
    for (let i = 0; i < 20; i++) made.set(i, i * i);
    expect(made.handleOf(5)).toBe(named);
    for (const i of [0, 4, 8, 12, 16]) made.delete(i);
    made.columns(); // rebuilds with the same capacity
    made.delete(7);
    made.set(100, 1);
    expect(meaning(made.toBytes(), 4)).toEqual(meaning(file('handles'), 4));
    check(made);
  });
});
