/**
 * Strings and bytes: every representation, their hash, their equality, and the heap that stores
 * them.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';
import { EDGES } from '../helpers/samples.js';
import { header, sections, WORD } from '../helpers/words.js';

/** Strings around the lengths at which encoding changes its method. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 94, 95, 96, 97, 98, 127, 128, 1000];

/** The same characters in the representations that V8 has for strings. */
function representations(text: string): string[] {
  const half = text.length >> 1;
  const cons = text.slice(0, half) + text.slice(half);
  const sliced = `(${text}) and enough around it for a slice`.slice(1, 1 + text.length);
  // A slice of a two-byte string stays two-byte, also where all its characters are ASCII.
  const twoByte = `日本日本日本日本日本${text}`.slice(10);
  const built = Array.from({ length: text.length }, (_, i) => text[i]).join('');
  const parsed = JSON.parse(JSON.stringify(text)) as string;
  return [text, cons, sliced, twoByte, built, parsed, Object.keys({ [text]: 1 })[0]];
}

describe('a string key', () => {
  const parts = [
    'a',
    '\0',
    '\x7f',
    '\x80',
    'é',
    '߿',
    'ࠀ',
    '日',
    '￿',
    '😀',
    '\ud800',
    '\udfff',
    '\ude00\ud83d',
  ];

  it('is found again, for any length, characters and representation of the string', () => {
    const map = new HashMap({ key: 'string', value: 'string' });
    const model = new Map<string, string>();
    for (const part of parts) {
      for (const length of LENGTHS) {
        for (const text of [part.repeat(length), 'x'.repeat(length) + part, part + 'y'.repeat(length)]) {
          map.set(text, text);
          model.set(text, text);
        }
      }
    }
    expect(map.size).toBe(model.size);
    for (const text of model.keys()) {
      for (const same of representations(text)) {
        expect(same).toBe(text);
        expect(map.has(same)).toBe(true);
        expect(map.get(same)).toBe(text);
      }
    }
    expect([...map]).toEqual([...model]);
    map.validate();
    expect([...HashMap.fromBytes(map.toBytes())]).toEqual([...model]);
    map.reserve(10_000).shrinkToFit();
    expect([...map]).toEqual([...model]);
  });

  it('differs from every string with one other code unit', () => {
    const texts = [...LENGTHS.map((length) => 'k'.repeat(length)), ...(EDGES.string as string[])];
    const map = new HashMap({ key: 'string', value: 'u32' });
    const model = new Map<string, number>();
    for (const text of texts) {
      for (const other of [
        text,
        `${text}\0`,
        `\0${text}`,
        `${text}k`,
        text.slice(1),
        `${text}\ud800`,
        `${text}�`,
      ]) {
        map.set(other, model.size);
        model.set(other, model.size);
      }
    }
    expect([...map]).toEqual([...model]);
    expect(map.has('never there')).toBe(false);
  });

  it('of random code units is treated as by a Map', () => {
    const units = fc.array(
      fc.constantFrom(0, 0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xffff),
      {
        maxLength: 130,
        size: 'max',
      },
    );
    fc.assert(
      fc.property(fc.array(units, { maxLength: 20 }), (lists) => {
        const model = new Map<string, string>();
        const map = new HashMap({ key: 'string', value: 'string' });
        for (const list of lists) {
          const text = String.fromCharCode(...list);
          const joined = `${text.slice(0, 50)}${text.slice(50)}`;
          model.set(text, joined);
          map.set(joined, text);
        }
        expect([...map]).toEqual([...model]);
        map.validate();
      }),
      { numRuns: 100 },
    );
  });

  it('of 1 MiB and more works, and does not remain in the scratch', () => {
    for (const part of ['x', 'é', '日', '😀', '\ud800']) {
      const map = new HashMap({ key: 'string', value: 'string' });
      const long = part.repeat(2 ** 20 / part.length);
      map.set(long, 'long').set('short', long);
      expect(map.get(long)).toBe('long');
      expect(map.get('short') === long).toBe(true);
      expect(map.has(`${long}x`)).toBe(false);
      expect([...map.keys()][0] === long).toBe(true);
      map.validate();
      expect(map.delete(long)).toBe(true);
      map.shrinkToFit();
      expect(map.byteLength).toBeLessThan(4 * 2 ** 20 + 4096);
      expect(map.get('short') === long).toBe(true);
    }
  });
});

describe('a bytes key', () => {
  it('is compared by content, whatever its buffer', () => {
    const map = new HashMap({ key: 'bytes', value: 'u32' });
    const content = [1, 2, 3, 250, 0];
    map.set(Uint8Array.from(content), 7);
    const whole = Uint8Array.from([9, ...content, 9]);
    const shared = new Uint8Array(new SharedArrayBuffer(16), 3, 5);
    shared.set(content);
    const resizable = new Uint8Array(new ArrayBuffer(5, { maxByteLength: 64 }));
    resizable.set(content);
    for (const same of [
      whole.subarray(1, 6),
      Buffer.from(content),
      Buffer.from(whole.buffer, 1, 5),
      shared,
      resizable,
    ]) {
      expect(map.get(same)).toBe(7);
    }
    expect(map.has(whole)).toBe(false);
    expect(map.has(new Uint8Array(0))).toBe(false);
    for (const other of [
      content,
      Uint8ClampedArray.from(content),
      new Uint16Array(2),
      new DataView(new ArrayBuffer(5)),
      'x',
    ]) {
      throws(() => map.has(other as never), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('is copied on insertion and on reading', () => {
    const map = new HashMap({ key: 'bytes', value: 'bytes' });
    const key = Uint8Array.of(1, 2);
    map.set(key, key);
    key[0] = 99;
    const [[outKey, outValue]] = map as unknown as [[Uint8Array, Uint8Array]];
    expect([outKey, outValue]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(1, 2)]);
    expect(outKey.constructor).toBe(Uint8Array);
    outKey[0] = outValue[0] = 77;
    expect([...map]).toEqual([[Uint8Array.of(1, 2), Uint8Array.of(1, 2)]]);
  });

  it('of the same bytes as a string differs from it in the format', () => {
    const strings = new HashMap({ key: 'string', value: 'u32', seed: 1n }, [['abc', 1]]);
    const bytes = new HashMap({ key: 'bytes', value: 'u32', seed: 1n }, [[Buffer.from('abc'), 1]]);
    expect(strings.toBytes()).not.toEqual(bytes.toBytes());
  });
});

describe('the heap', () => {
  it('reclaims the garbage of replaced and deleted entries', () => {
    const map = new HashMap({ key: 'string', value: 'string' });
    const sizes = new Set<number>();
    for (let round = 0; round < 400; round++) {
      for (let n = 0; n < 50; n++) map.set(`key ${n}`, `round ${round} `.repeat(n % 7));
      map.delete(`key ${round % 50}`);
      if (round > 100) sizes.add(map.byteLength);
    }
    expect(Math.max(...sizes)).toBeLessThan(128 * 1024);
    for (let n = 0; n < 50; n++) map.delete(`key ${n}`);
    map.validate();
    const { heapUsed, heapGarbage } = map.stats();
    expect(heapGarbage).toBe(heapUsed);
    map.shrinkToFit();
    expect(map.stats().heapUsed).toBe(0);
    map.validate();
  });

  it('grows for a value that is larger than all earlier ones', () => {
    const map = new HashMap({ key: 'u32', value: 'bytes' });
    for (const size of [1, 100, 10_000, 1_000_000, 10]) {
      map.set(size, new Uint8Array(size).fill(size));
      map.set(0, new Uint8Array(size).fill(7));
      expect(Buffer.compare(map.get(size)!, new Uint8Array(size).fill(size))).toBe(0);
      map.validate();
    }
  });
});

/** HalfSipHash-c-d with a 32-bit result, written from the paper's description and byte by byte. */
function halfSipHash(message: Uint8Array, k0: number, k1: number, c: number, d: number): number {
  const v = [k0, k1, 0x6c796765 ^ k0, 0x74656462 ^ k1];
  const rotl = (x: number, n: number): number => (x << n) | (x >>> (32 - n));
  const round = (): void => {
    v[0] = (v[0] + v[1]) | 0;
    v[1] = rotl(v[1], 5) ^ v[0];
    v[0] = rotl(v[0], 16);
    v[2] = (v[2] + v[3]) | 0;
    v[3] = rotl(v[3], 8) ^ v[2];
    v[0] = (v[0] + v[3]) | 0;
    v[3] = rotl(v[3], 7) ^ v[0];
    v[2] = (v[2] + v[1]) | 0;
    v[1] = rotl(v[1], 13) ^ v[2];
    v[2] = rotl(v[2], 16);
  };
  const padded = new Uint8Array((message.length & ~3) + 4);
  padded.set(message);
  padded[padded.length - 1] = message.length;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 4) {
    const word = view.getUint32(at, true);
    v[3] ^= word;
    for (let i = 0; i < c; i++) round();
    v[0] ^= word;
  }
  v[2] ^= 0xff;
  for (let i = 0; i < d; i++) round();
  return (v[1] ^ v[3]) >>> 0;
}

/** The first lane of the index that holds a tag: bucket and tag. */
function placed(map: HashMap<any, any>): { bucket: number; tag: number } {
  const bytes = map.toBytes();
  const { index } = sections(bytes, 4, 4);
  for (let at = index.at; at < index.at + index.length; at += 64) {
    for (let lane = 0; lane < 12; lane++) {
      if (bytes[at + lane] !== 0) return { bucket: (at - index.at) / 64, tag: bytes[at + lane] };
    }
  }
  throw new Error('no entry is in the index');
}

describe('the hash', () => {
  it('matches the reference vectors of HalfSipHash-2-4 in the implementation of this test', () => {
    // Key 00 01 … 07, message 00 01 …: the first vectors of the authors' test program (32-bit
    // results).
    const key = [0x03020100, 0x07060504] as const;
    const vectors = [0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a, 0x89466e2a];
    vectors.forEach((expected, length) => {
      const message = Uint8Array.from({ length }, (_, i) => i);
      expect(halfSipHash(message, ...key, 2, 4)).toBe(expected);
    });
  });

  it('is HalfSipHash-1-3, and determines bucket and tag in both engines', () => {
    const messages = [
      ...Array.from({ length: 70 }, (_, n) => Uint8Array.from({ length: n }, (_, i) => (i * 37 + n) & 127)),
      new Uint8Array(300).fill(65),
    ];
    for (const seed of [0n, 2n ** 64n - 1n, 0x89abcdef01234567n]) {
      for (const message of messages) {
        const s0 = Number(seed & 0xffffffffn);
        const s1 = Number(seed >> 32n);
        const h = halfSipHash(message, s0, s1, 1, 3);
        const makers = {
          bytes: new HashMap({ key: 'bytes', value: 'u32', capacity: 1000, seed }, [[message, 1]]),
          string: new HashMap({ key: 'string', value: 'u32', capacity: 1000, seed }, [
            [Buffer.from(message).toString('latin1'), 1],
          ]),
        };
        for (const map of Object.values(makers)) {
          const words = header(map.toBytes());
          expect([words[WORD.seed0], words[WORD.seed1]]).toEqual([s0, s1]);
          const buckets = words[WORD.buckets];
          const e = Math.max(0, Math.floor(Math.log2(buckets)) - 2);
          const m = buckets / 2 ** e;
          const expected = { bucket: Math.imul(h >>> 3, m) >>> (29 - e), tag: h & 127 || 1 };
          expect(placed(map)).toEqual(expected);
          map.shrinkToFit();
          map.reserve(1000);
          expect(placed(map)).toEqual(expected); // the native rebuild hashed it again
        }
      }
    }
  });

  it.each(['string', 'bytes', 'u32', 'i32', 'f64', 'u64', 'i64'] as const)(
    'places %s keys in TypeScript as in Rust: bytes before and after a native rebuild are the same',
    (key) => {
      const make = (n: number): any => {
        if (key === 'string') return `ключ ${'z'.repeat(n % 120)} ${n}`;
        if (key === 'bytes') return Buffer.from(`key ${n}`);
        if (key === 'f64') return n === 0 ? NaN : n / 7;
        return key === 'u64' || key === 'i64' ? BigInt(n) ** 3n : Math.imul(n, 0x9e3779b1) >>> 1;
      };
      const seed = 0x89abcdef01234567n;
      const capacity = 1000; // no growth while TypeScript inserts
      const ours = new HashMap({ key, value: 'u32', capacity, seed });
      for (let n = 0; n < 900; n++) ours.set(make(n) as never, n);
      // Room for strings was made natively on the way; this leaves TypeScript's placement as it is.
      const before = ours.toBytes();
      const again = HashMap.fromBytes(before);
      again.reserve(capacity + 1).shrinkToFit();
      const rebuilt = HashMap.fromBytes(before).shrinkToFit().reserve(capacity);
      const index = (bytes: Uint8Array): Uint8Array => {
        const section = sections(bytes, 4, 4).index;
        return bytes.slice(section.at, section.at + section.length);
      };
      expect(header(rebuilt.toBytes())[WORD.capacity]).toBe(capacity);
      expect(index(rebuilt.toBytes())).toEqual(index(before));
      expect([...rebuilt]).toEqual([...ours]);
      rebuilt.validate();
      again.validate();
    },
  );
});
