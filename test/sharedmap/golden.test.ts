/** Golden bytes of maps and of a snapshot (`test/golden/README.md`), which Rust wrote. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SharedMap, type AnyShared } from './samples.js';

const pathOf = (name: string): string => join(import.meta.dirname, '..', 'golden', name);
const EXPIRES = 4_102_444_800_000;

/** A map over golden bytes: they replace those of a new one, of the same size. */
function opened(name: string, options: object): AnyShared {
  const bytes = readFileSync(pathOf(name));
  const map: AnyShared = new SharedMap({ maxBytes: bytes.length, ...options } as never);
  const token = map.share() as { buffer: SharedArrayBuffer };
  expect(token.buffer.byteLength).toBe(bytes.length);
  new Uint8Array(token.buffer).set(bytes);
  return SharedMap.attach(token as never);
}

const strings: [string, string][] = [
  ['', 'empty'],
  ['a\0b', 'nul'],
  ['grün', 'größe'],
  ['日本', ''],
  ['😀', '🎉'],
  ...Array.from({ length: 55 }, (_, i): [string, string] => [
    `key ${i + 5}`,
    `v${i + 5}`.repeat((i + 5) % 7),
  ]),
  ['long', 'abcdefg'.repeat(2000)],
];

function checkStrings(map: AnyShared): void {
  map.validate();
  expect(map.size).toBe(strings.length);
  strings.forEach(([key, value], i) => {
    expect(map.entry(key)).toMatchObject({ value, expiresAt: i % 2 === 0 ? Infinity : EXPIRES + i });
  });
  expect(new Map(map)).toEqual(new Map(strings));
}

describe('golden bytes', () => {
  it('of a map of numbers are read and changed', () => {
    const map = opened('sharedmap-numbers.bin', { key: 'u32', value: 'f64', policy: 'lru' });
    expect(map.policy).toBe('lru');
    map.validate();
    expect(map.size).toBe(200);
    for (let i = 0; i < 300; i++) {
      expect(map.get(Math.imul(i, 2_654_435_761) >>> 0)).toBe(i % 3 === 2 ? undefined : i + 0.5);
    }
    for (let key = 0; key < 5000; key++) map.set(key, key);
    expect(map.get(4999)).toBe(4999);
    map.validate();
  });

  it('of a map of strings are read', () => {
    checkStrings(opened('sharedmap-strings.bin', { key: 'string', value: 'string', policy: 'none' }));
  });

  it('of a snapshot are read', async () => {
    const map = await SharedMap.restore(pathOf('sharedmap-saved.bin'));
    checkStrings(map as AnyShared);
  });
});
