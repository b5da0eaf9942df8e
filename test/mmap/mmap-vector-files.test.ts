/** Files of MmapVectors that are corrupt, and bad arguments. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { MmapVector } from '../../src/mmap/index.js';
import { rejected, throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-mmapvector-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `vector ${files++}`);

describe('a corrupt file', () => {
  /** A file that was closed, or left by a process that was killed. */
  const bytes = (closed: boolean): Buffer => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u32');
    vector.push(1, 2, 3);
    vector.flushSync();
    vector.push(4);
    vector.flushSync();
    const left = readFileSync(path).subarray(0, 65_552);
    vector.close();
    return closed ? readFileSync(path) : left;
  };
  /** Opens the file, and returns the elements or the code of the error. */
  const outcome = (content: Buffer, mode: 'r' | 'rw'): unknown => {
    const path = fresh();
    writeFileSync(path, content);
    try {
      using vector = MmapVector.open(path, { mode });
      return { recovered: vector.recovered, elements: [...vector] };
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it('falls back to the previous commit, and reports it', () => {
    const whole = bytes(false);
    expect(outcome(whole, 'r')).toEqual({ recovered: false, elements: [1, 2, 3, 4] });
    // Commit 3 is in slot 1, commit 2 in slot 0.
    for (let at = 32_768; at < 32_768 + 64; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 1;
      expect(outcome(damaged, 'rw'), String(at)).toEqual({ recovered: true, elements: [1, 2, 3] });
    }
    const damaged = Buffer.from(whole);
    damaged[32_768]++;
    damaged[16_384]++;
    expect(outcome(damaged, 'rw')).toBe('ERR_OFFHEAP_CORRUPT');
  });

  it('loses nothing by a damaged commit if it was closed', () => {
    const whole = bytes(true);
    expect(outcome(whole, 'r')).toEqual({ recovered: false, elements: [1, 2, 3, 4] });
    for (const slot of [16_384, 32_768]) {
      for (let at = slot; at < slot + 64; at++) {
        const damaged = Buffer.from(whole);
        damaged[at] ^= 1;
        expect(outcome(damaged, 'rw'), String(at)).toEqual({ recovered: true, elements: [1, 2, 3, 4] });
      }
    }
  });

  it('ignores a flush whose elements did not all reach the disk', () => {
    const torn = bytes(false);
    torn.writeUInt32LE(0, 65_536 + 3 * 4);
    const path = fresh();
    writeFileSync(path, torn);
    const again = { recovered: true, elements: [1, 2, 3] };
    expect(outcome(torn, 'r')).toEqual(again);
    using reader = MmapVector.open<'u32'>(path);
    const vector = MmapVector.open<'u32'>(path, { mode: 'rw' });
    expect({ recovered: vector.recovered, elements: [...vector] }).toEqual(again);
    // Restoring the elements does not complete the flush.
    vector.push(4);
    expect([...reader]).toEqual([1, 2, 3]);
    expect([...MmapVector.open<'u32'>(path)]).toEqual([1, 2, 3]);
    vector.push(5);
    vector.flushSync();
    vector.close();
    expect([...reader]).toEqual([1, 2, 3, 4, 5]);
    expect(outcome(readFileSync(path), 'rw')).toEqual({ recovered: false, elements: [1, 2, 3, 4, 5] });
  });

  it('is rejected if its header is wrong', () => {
    const whole = bytes(true);
    for (let at = 0; at < 256; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0x10;
      expect(['ERR_OFFHEAP_CORRUPT', 'ERR_OFFHEAP_VERSION'], String(at)).toContain(outcome(damaged, 'rw'));
    }
  });

  it('is rejected or falls back, wherever it was truncated', () => {
    const whole = bytes(false);
    for (const length of [0, 1, 255, 256, 16_400, 32_800, 65_535, 65_536, 65_547, 65_548, 65_551]) {
      const result = outcome(whole.subarray(0, length), 'rw');
      if (length < 65_548) expect(result, String(length)).toBe('ERR_OFFHEAP_CORRUPT');
      else expect(result, String(length)).toEqual({ recovered: true, elements: [1, 2, 3] });
    }
  });

  it('is reported by validate() if elements were changed', () => {
    const whole = bytes(true);
    whole[65_536] ^= 1;
    const path = fresh();
    writeFileSync(path, whole);
    using vector = MmapVector.open(path);
    expect(vector.length).toBe(4);
    throws(() => vector.validate(), 'ERR_OFFHEAP_CORRUPT');
  });
});

describe('bad arguments', () => {
  it('are rejected', () => {
    const path = fresh();
    throws(() => MmapVector.create(path, 'string' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => MmapVector.create('', 'u8'), 'ERR_OFFHEAP_TYPE');
    throws(() => MmapVector.create(join(folder, 'no', 'such'), 'u8'), 'ERR_OFFHEAP_IO');
    throws(
      () => MmapVector.create(path, 'u8', { mode: 'rw' } as never),
      'ERR_OFFHEAP_TYPE',
      /unknown option/,
    );
    throws(() => MmapVector.create(path, 'u8', { capacity: -1 }), 'ERR_OFFHEAP_RANGE');
    throws(() => MmapVector.create(path, 'u8', { stepMin: 0 }), 'ERR_OFFHEAP_RANGE');
    throws(() => MmapVector.create(path, 'u8', { stepMax: NaN }), 'ERR_OFFHEAP_RANGE');
    throws(() => MmapVector.create(path, 'u8', { pattern: 'no' as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => MmapVector.create(path, 'u8', { fixed: 1 as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => MmapVector.realTime(-1), 'ERR_OFFHEAP_RANGE');
    expect(existsSync(path)).toBe(false);
    throws(() => MmapVector.open(path), 'ERR_OFFHEAP_IO');
    throws(() => MmapVector.open(folder), 'ERR_OFFHEAP_IO');
    using vector = MmapVector.create(path, 'u8');
    throws(() => MmapVector.create(path, 'u8'), 'ERR_OFFHEAP_IO');
    throws(() => MmapVector.open(path, { mode: 'w' as never }), 'ERR_OFFHEAP_TYPE');
    for (const bad of [256, -1, 1.5, NaN]) {
      throws(() => vector.push(bad), 'ERR_OFFHEAP_RANGE');
      throws(() => vector.push(1, bad), 'ERR_OFFHEAP_RANGE');
      throws(() => vector.pushMany([1, bad]), 'ERR_OFFHEAP_RANGE');
    }
    throws(() => vector.push('1' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.truncate(-1), 'ERR_OFFHEAP_RANGE');
    throws(() => vector.reserve(2 ** 53), 'ERR_OFFHEAP_RANGE');
    expect(vector.length).toBe(0);
  });

  it('and all operations after close() are rejected', async () => {
    const vector = MmapVector.create(fresh(), 'u8');
    vector.push(1);
    vector.close();
    vector.close();
    const operations: (() => unknown)[] = [
      () => vector.length,
      () => vector.type,
      () => vector.flushed,
      () => vector.recovered,
      () => vector.view,
      () => vector.byteLength,
      () => vector.stats(),
      () => vector.push(1),
      () => vector.push(),
      () => vector.pushMany([1]),
      () => vector.pop(),
      () => vector.at(0),
      () => vector.set(0, 1),
      () => vector.truncate(0),
      () => vector.reserve(1),
      () => vector.sum(),
      () => vector.sort(),
      () => vector.validate(),
      () => vector.refresh(),
      () => vector.flushSync(),
      () => vector.share(),
      () => vector.toBytes(),
      () => vector.values(),
    ];
    for (const operation of operations) throws(operation, 'ERR_OFFHEAP_CLOSED');
    expect((await rejected(vector.flush())).code).toBe('ERR_OFFHEAP_CLOSED');
    expect(inspect(vector)).toBe('MmapVector { closed }');
  });
});
