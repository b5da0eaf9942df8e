import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SharedMap } from '../../src/sharedmap/index.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-snapshot-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'map.snapshot');

describe('save and restore', () => {
  it('carry all entries, types and options', async () => {
    using map = new SharedMap({
      key: 'string',
      value: 'mixed',
      maxBytes: 1 << 21,
      ttl: 60_000,
      policy: 'lru',
    });
    for (let i = 0; i < 1000; i++) map.set(`ключ ${i}`, i % 3 === 0 ? i : `value ${i}`);
    map.set('long', 'x'.repeat(50_000)).set('object', { date: new Date(5) }, { ttl: Infinity });
    map.set('expired', 1, { ttl: 1 });
    await map.save(path);
    await new Promise((resolve) => setTimeout(resolve, 5));
    using copy = await SharedMap.restore(path);
    expect(copy.size).toBe(1002);
    for (const [key, value] of map) if (key !== 'expired') expect(copy.get(key)).toEqual(value);
    expect([copy.maxBytes, copy.ttl, copy.policy]).toEqual([1 << 21, 60_000, 'lru']);
    expect(copy.remainingTtl('object')).toBe(Infinity);
    expect(copy.remainingTtl('long')).toBeLessThanOrEqual(60_000);
    copy.validate();
    map.validate();
    using larger = await SharedMap.restore(path, { maxBytes: 1 << 22 });
    expect([larger.size, larger.maxBytes]).toEqual([1002, 1 << 22]);
  });

  it('contain one instant although others write', async () => {
    using map = new SharedMap({ key: 'u32', value: 'f64', maxBytes: 1 << 24 });
    for (let i = 0; i < 50_000; i++) map.set(i, 1);
    const saving = map.save(path);
    for (let i = 0; i < 50_000; i++) {
      map.set(i, 2);
      if (i % 5 === 0) map.delete(i);
      map.set(100_000 + i, 3);
      if (i % 1000 === 0) await new Promise(setImmediate);
    }
    await saving;
    using copy = await SharedMap.restore<'u32', 'f64'>(path);
    // The snapshot begins on another thread, at some point of the loop: before it each value is 2.
    let twos = 0;
    while (twos < 50_000 && copy.get(twos) !== 1) twos++;
    for (let i = 0; i < 50_000; i++) {
      const expected = i < twos ? (i % 5 === 0 ? undefined : 2) : 1;
      if (i !== twos - 1 && copy.get(i) !== expected) expect(copy.get(i), `${i} of ${twos}`).toBe(expected);
      if (i !== twos - 1) expect(copy.has(100_000 + i)).toBe(i < twos);
    }
    map.validate();
  });

  it('refuse damaged files, other types and missing files, and leave nothing when aborted', async () => {
    using map = new SharedMap({ key: 'u32', value: 'string', maxBytes: 1 << 20 });
    for (let i = 0; i < 1000; i++) map.set(i, `value ${i}`);
    await map.save(path);
    const whole = readFileSync(path);
    const corrupt = { code: 'ERR_OFFHEAP_CORRUPT' };
    for (const at of [3, 9, 200, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0x55;
      writeFileSync(path, damaged);
      await expect(SharedMap.restore(path), `${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/CORRUPT|TYPE|RANGE/) as string,
      });
    }
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    await expect(SharedMap.restore(path)).rejects.toMatchObject(corrupt);
    writeFileSync(path, 'text');
    await expect(SharedMap.restore(path)).rejects.toMatchObject(corrupt);
    writeFileSync(path, whole);
    await expect(SharedMap.restore(path, { value: 'f64' })).rejects.toMatchObject({
      code: 'ERR_OFFHEAP_TYPE',
    });
    await expect(SharedMap.restore(join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_OFFHEAP_IO' });
    await expect(map.save(join(folder, 'none', 'x'))).rejects.toMatchObject({ code: 'ERR_OFFHEAP_IO' });
    const before = readdirSync(folder);
    await expect(map.save(path, { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(path)).toEqual(whole);
  });
});
