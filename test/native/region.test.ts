/**
 * Checksums, header checks and advice of native/binding/region.cc, with valid and invalid
 * arguments.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OffheapError } from '../../src/errors.js';
import { native } from '../../src/native.js';

function code(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(OffheapError);
    expect((error as OffheapError).message.length).toBeGreaterThan(10);
    return (error as OffheapError).code;
  }
  return 'none';
}

const wrongViews = [undefined, null, 7, 'bytes', {}, [1], new ArrayBuffer(8), new SharedArrayBuffer(8)];
const wrongNumbers: [unknown, string][] = [
  [undefined, 'ERR_OFFHEAP_TYPE'],
  [null, 'ERR_OFFHEAP_TYPE'],
  ['1', 'ERR_OFFHEAP_TYPE'],
  [1n, 'ERR_OFFHEAP_TYPE'],
  [{}, 'ERR_OFFHEAP_TYPE'],
  [true, 'ERR_OFFHEAP_TYPE'],
  [NaN, 'ERR_OFFHEAP_RANGE'],
  [Infinity, 'ERR_OFFHEAP_RANGE'],
  [-1, 'ERR_OFFHEAP_RANGE'],
  [0.5, 'ERR_OFFHEAP_RANGE'],
  [2 ** 32, 'ERR_OFFHEAP_RANGE'],
  [2 ** 53, 'ERR_OFFHEAP_RANGE'],
  [1e300, 'ERR_OFFHEAP_RANGE'],
];
const wrongBooleans = [undefined, null, 0, 1, 'true', {}, []];

describe('crc32c', () => {
  const read10 = new Uint8Array(48);
  for (const [at, byte] of [
    [0, 0x01],
    [1, 0xc0],
    [16, 0x14],
    [22, 0x04],
    [27, 0x14],
    [31, 0x18],
    [32, 0x28],
    [40, 0x02],
  ] as const) {
    read10[at] = byte;
  }
  it.each([
    ['nothing', new Uint8Array(0), 0],
    ['zeros (RFC 3720)', new Uint8Array(32), 0x8a9136aa],
    ['ones (RFC 3720)', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['ascending (RFC 3720)', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['descending (RFC 3720)', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['an iSCSI read command (RFC 3720)', read10, 0xd9963a56],
    ['the check value', Buffer.from('123456789'), 0xe3069283],
  ])('of %s', (_, bytes, expected) => {
    expect(native().crc32c(bytes, 0)).toBe(expected);
    const buffer = new SharedArrayBuffer(bytes.length + 3, { maxByteLength: 1 << 20 });
    const shared = new Uint8Array(buffer, 3, bytes.length);
    shared.set(bytes);
    expect(native().crc32c(shared, 0)).toBe(expected);
  });

  it('can be computed in pieces', () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * i) >> 3);
    const whole = native().crc32c(bytes, 0);
    for (const at of [0, 1, 7, 8, 4095, 8192, 65_537, 100_003]) {
      const first = native().crc32c(bytes.subarray(0, at), 0);
      expect(native().crc32c(bytes.subarray(at), first)).toBe(whole);
    }
    expect(native().crc32c(new Float64Array(bytes.buffer.slice(0, 800)), 0)).toBe(
      native().crc32c(bytes.subarray(0, 800), 0),
    );
  });

  it('rejects invalid arguments', () => {
    for (const wrong of wrongViews) {
      expect(code(() => native().crc32c(wrong as never, 0))).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const [wrong, expected] of wrongNumbers) {
      expect(code(() => native().crc32c(new Uint8Array(8), wrong as never))).toBe(expected);
    }
  });
});

describe('a region', () => {
  function region(buffer: ArrayBuffer | SharedArrayBuffer) {
    const words = new Uint32Array(buffer, 0, 128);
    words.set([0x5048464f, 1, 1, 1, 320, 0]);
    return { words, bytes: new Uint8Array(buffer, 0, 512) };
  }
  const buffers = {
    ArrayBuffer: () => new ArrayBuffer(512),
    'growable SharedArrayBuffer': () => new SharedArrayBuffer(512, { maxByteLength: 1 << 30 }),
  };
  for (const [name, make] of Object.entries(buffers)) {
    it(`has a checksum that ignores the words that change, in a ${name}`, () => {
      const { words, bytes } = region(make());
      expect(native().regionCheck(bytes)).toBe(320);
      const expected = native().crc32c(bytes.subarray(0, 320), 0); // Words 6, 7 and 8 are still zero.
      expect(native().regionChecksum(bytes)).toBe(expected);
      words.set([4, 1, 12345], 6);
      words[80] = 1; // Past its end.
      expect(native().regionChecksum(bytes)).toBe(expected);
      words[79] = 1;
      expect(native().regionChecksum(bytes)).not.toBe(expected);
    });
  }

  it('is checked before its checksum is computed', () => {
    const cases: [number, number, string][] = [
      [0, 1, 'ERR_OFFHEAP_CORRUPT'],
      [1, 2, 'ERR_OFFHEAP_VERSION'],
      [4, 319, 'ERR_OFFHEAP_CORRUPT'],
      [4, 192, 'ERR_OFFHEAP_CORRUPT'],
      [4, 576, 'ERR_OFFHEAP_CORRUPT'],
      [5, 0xffffffff, 'ERR_OFFHEAP_CORRUPT'],
      [7, 2, 'ERR_OFFHEAP_STALE'],
      [7, 0x80000000, 'ERR_OFFHEAP_CORRUPT'],
    ];
    for (const [word, value, expected] of cases) {
      const { words, bytes } = region(new ArrayBuffer(512));
      words[word] = value;
      expect(code(() => native().regionCheck(bytes))).toBe(expected);
      expect(code(() => native().regionChecksum(bytes))).toBe(expected);
    }
    const { bytes } = region(new ArrayBuffer(512));
    for (const length of [0, 1, 255, 256, 319]) {
      const short = length === 0 ? new Uint8Array(0) : bytes.subarray(0, length);
      expect(['ERR_OFFHEAP_CORRUPT', 'ERR_OFFHEAP_TYPE']).toContain(
        code(() => native().regionChecksum(short)),
      );
    }
    expect(code(() => native().regionCheck(bytes.subarray(4)))).toBe('ERR_OFFHEAP_TYPE'); // Misaligned.
    for (const wrong of wrongViews) {
      expect(code(() => native().regionChecksum(wrong as never))).toBe('ERR_OFFHEAP_TYPE');
      expect(code(() => native().regionCheck(wrong as never))).toBe('ERR_OFFHEAP_TYPE');
    }
  });
});

describe('advice and placement', () => {
  const growable = new SharedArrayBuffer(8 << 20, { maxByteLength: 1 << 30 });
  const bytes = new Uint8Array(growable, 0, 8 << 20).fill(7);

  it('apply to growable shared memory and do not change its contents', () => {
    if (process.platform === 'linux') {
      const setting = '/sys/kernel/mm/transparent_hugepage/enabled';
      let huge = false;
      try {
        huge = !readFileSync(setting, 'utf8').includes('[never]');
      } catch {
        // A kernel without huge pages accepts neither advice.
      }
      expect(native().regionAdvise(bytes, true)).toBe(huge);
      expect(native().regionAdvise(bytes, false) || !huge).toBe(true);
    } else {
      expect(native().regionAdvise(bytes, true)).toBe(false);
    }
    growable.grow(16 << 20);
    expect(typeof native().regionAdvise(new Uint8Array(growable, 0, 16 << 20), true)).toBe('boolean');
    expect(native().regionAdvise(bytes.subarray(0, 100), true)).toBe(false);
    expect(native().regionAdvise(new Uint8Array(0), true)).toBe(false);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  it('bind memory to a node that exists', () => {
    expect(['none', 'ERR_OFFHEAP_UNSUPPORTED']).toContain(code(() => native().regionBind(bytes, 0)));
    for (const node of [1023, 1024, 2 ** 31, 2 ** 32 - 1]) {
      expect(['ERR_OFFHEAP_RANGE', 'ERR_OFFHEAP_UNSUPPORTED']).toContain(
        code(() => native().regionBind(bytes, node)),
      );
    }
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  it('reject invalid arguments', () => {
    for (const wrong of wrongViews) {
      expect(code(() => native().regionAdvise(wrong as never, true))).toBe('ERR_OFFHEAP_TYPE');
      expect(code(() => native().regionBind(wrong as never, 0))).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const wrong of wrongBooleans) {
      expect(code(() => native().regionAdvise(bytes, wrong as never))).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const [wrong, expected] of wrongNumbers) {
      expect(code(() => native().regionBind(bytes, wrong as never))).toBe(expected);
    }
  });
});
