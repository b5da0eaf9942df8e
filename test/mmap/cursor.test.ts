/** Cursors: every kind of number, varints, text, and impossible lengths. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { MappedFile, type Cursor } from '../../src/mmap/index.js';
import { throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-cursor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function open(content: Uint8Array | readonly number[], strategy: 'mmap' | 'copy' = 'mmap'): MappedFile {
  const path = join(folder, String(files++));
  writeFileSync(path, Buffer.from(content));
  return MappedFile.open(path, { strategy, pattern: 'sequential' });
}

/** A reference encoder of varints. */
function varint(value: bigint): number[] {
  const bytes = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
}

const NUMBERS = [
  ['readU8', 1, (view: DataView) => view.getUint8(0)],
  ['readI8', 1, (view: DataView) => view.getInt8(0)],
  ['readU16', 2, (view: DataView) => view.getUint16(0, true)],
  ['readI16', 2, (view: DataView) => view.getInt16(0, true)],
  ['readU32', 4, (view: DataView) => view.getUint32(0, true)],
  ['readI32', 4, (view: DataView) => view.getInt32(0, true)],
  ['readF32', 4, (view: DataView) => view.getFloat32(0, true)],
  ['readF64', 8, (view: DataView) => view.getFloat64(0, true)],
  ['readU64', 8, (view: DataView) => view.getBigUint64(0, true)],
  ['readI64', 8, (view: DataView) => view.getBigInt64(0, true)],
] as const;

describe('numbers', () => {
  it.each(NUMBERS)(
    '%s reads little-endian numbers at any position, up to the end',
    (name, width, expected) => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
          using file = open(bytes, bytes.length % 2 === 0 ? 'mmap' : 'copy');
          const cursor = file.cursor();
          let at = 0;
          for (; at + width <= bytes.length; at += width) {
            expect(cursor.remaining).toBe(bytes.length - at);
            expect(cursor[name]()).toEqual(
              expected(new DataView(bytes.buffer, bytes.byteOffset + at, width)),
            );
          }
          throws(() => cursor[name](), 'ERR_OFFHEAP_RANGE');
          expect(cursor.position).toBe(at);
        }),
        { numRuns: 20 },
      );
    },
  );

  it('are read across the read-ahead window', () => {
    const bytes = Buffer.alloc(20 << 20);
    for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(i, i);
    for (const pattern of ['sequential', 'mixed', 'random', 'unknown'] as const) {
      using file = open(bytes);
      file.advise(pattern);
      const cursor = file.cursor();
      let wrong = 0;
      for (let i = 0; i < bytes.length; i += 4) if (cursor.readU32() !== i) wrong++;
      expect(wrong).toBe(0);
      expect(cursor.remaining).toBe(0);
      throws(() => cursor.readU8(), 'ERR_OFFHEAP_RANGE');
    }
  });
});

describe('varints', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 20 }), (values) => {
        const some = [...values, 0n, 127n, 128n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n];
        using file = open(some.flatMap(varint));
        const cursor = file.cursor();
        for (const value of some) {
          const before = cursor.position;
          if (value < 2n ** 53n) expect(cursor.readVarint()).toBe(Number(value));
          else throws(() => cursor.readVarint(), 'ERR_OFFHEAP_RANGE', /readVarintBig/);
          cursor.seek(before);
          expect(cursor.readVarintBig()).toBe(value);
        }
        expect(cursor.remaining).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('without an end are rejected and leave the position unchanged', () => {
    const cases: [number[], string][] = [
      [[], 'RANGE'],
      [[128], 'RANGE'],
      [new Array(9).fill(255), 'RANGE'],
      [new Array(10).fill(255), 'CORRUPT'],
      [new Array(40).fill(128), 'CORRUPT'],
    ];
    for (const [bytes, code] of cases) {
      using file = open(bytes);
      const cursor = file.cursor();
      throws(() => cursor.readVarint(), `ERR_OFFHEAP_${code}` as never);
      throws(() => cursor.readVarintBig(), `ERR_OFFHEAP_${code}` as never);
      throws(() => cursor.readString(), `ERR_OFFHEAP_${code}` as never);
      expect(cursor.position).toBe(0);
    }
    // 65 bits.
    using file = open([...new Array(9).fill(255), 2]);
    throws(() => file.cursor().readVarintBig(), 'ERR_OFFHEAP_CORRUPT');
    throws(() => file.cursor().readVarint(), 'ERR_OFFHEAP_RANGE');
  });

  it('may be longer than necessary, as LEB128 allows', () => {
    using file = open([0x81, 0x80, 0x00, 0x85, 0x00]);
    const cursor = file.cursor();
    expect([cursor.readVarint(), cursor.readVarint()]).toEqual([1, 5]);
  });
});

describe('text and bytes', () => {
  it('are read with a given length or a stored one', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 50 }), { maxLength: 10 }), (texts) => {
        const parts = texts.map((text) => Buffer.from(text));
        using file = open(
          Buffer.concat(parts.flatMap((part) => [Buffer.from(varint(BigInt(part.length))), part])),
        );
        const cursor = file.cursor();
        for (const text of texts) {
          const at = cursor.position;
          expect(cursor.readString()).toBe(text);
          const bytes = Buffer.byteLength(text);
          expect(
            cursor
              .seek(at)
              .skip(varint(BigInt(bytes)).length)
              .readString(bytes),
          ).toBe(text);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('of impossible lengths are rejected and leave the position unchanged', () => {
    const lengths = [6n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n - 1n];
    for (const length of lengths) {
      using file = open([...varint(length), 65, 66, 67, 68, 69]);
      const cursor = file.cursor();
      throws(() => cursor.readString(), 'ERR_OFFHEAP_RANGE');
      expect(cursor.position).toBe(0);
      throws(() => cursor.readString(Number(length) + 100), 'ERR_OFFHEAP_RANGE');
      throws(() => cursor.readBytes(Number(length) + 100), 'ERR_OFFHEAP_RANGE');
      throws(() => cursor.skip(Number(length) + 100), 'ERR_OFFHEAP_RANGE');
      expect(cursor.position).toBe(0);
    }
    using file = open([5, 0xc3, 0x28, 65, 0xff, 66]);
    const cursor = file.cursor();
    throws(() => cursor.readString(), 'ERR_OFFHEAP_CORRUPT', /UTF-8/);
    expect(cursor.position).toBe(0);
    for (const bad of [-1, 0.5, NaN, Infinity]) {
      throws(() => cursor.readString(bad), 'ERR_OFFHEAP_RANGE');
      throws(() => cursor.readBytes(bad), 'ERR_OFFHEAP_RANGE');
      throws(() => cursor.skip(bad), 'ERR_OFFHEAP_RANGE');
    }
    throws(() => cursor.readString('1' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => cursor.readBytes(1n as never), 'ERR_OFFHEAP_TYPE');
  });

  it('are views of the file if they are bytes', () => {
    using file = open([1, 2, 3, 4]);
    const cursor = file.cursor(1);
    const bytes = cursor.readBytes(2);
    expect([...bytes]).toEqual([2, 3]);
    expect(bytes.buffer).toBe(file.bytes.buffer);
    expect(cursor.remaining).toBe(1);
    expect(cursor.readBytes(0)).toHaveLength(0);
  });
});

it('reads random bytes without harm', () => {
  const reads: ((cursor: Cursor) => unknown)[] = [
    ...NUMBERS.map(
      ([name]) =>
        (cursor: Cursor) =>
          cursor[name](),
    ),
    (cursor) => cursor.readVarint(),
    (cursor) => cursor.readVarintBig(),
    (cursor) => cursor.readString(),
    (cursor) => cursor.readBytes(cursor.readU8()),
  ];
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.array(fc.nat(reads.length - 1), { maxLength: 60 }),
      (bytes, choices) => {
        using file = open(bytes);
        const cursor = file.cursor();
        for (const choice of choices) {
          try {
            reads[choice](cursor);
          } catch (error) {
            expect(['ERR_OFFHEAP_RANGE', 'ERR_OFFHEAP_CORRUPT']).toContain((error as { code: string }).code);
          }
          expect(cursor.position).toBeLessThanOrEqual(bytes.length);
          expect(cursor.position + cursor.remaining).toBe(bytes.length);
        }
      },
    ),
    { numRuns: 100 },
  );
});
