/**
 * Maps in files that C++ and Node.js write: native/capi/tests/exchange/sharedmap.cc computes the
 * same keys and values. It is compiled here, against the library that the addon was made of.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SharedMap, type AnyShared } from './samples.js';

const root = join(import.meta.dirname, '..', '..');
const native = join(root, 'native');
const home = mkdtempSync(join(tmpdir(), 'offheap-cpp-'));
const program = join(home, 'sharedmap');
afterAll(() => rmSync(home, { recursive: true, force: true }));

const COUNT = 200;
const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes);
const long = (i: number, otherwise: number) => (i === 7 ? 50_000 : otherwise);

const KEYS: Record<string, (i: number) => unknown> = {
  u32: (i) => i * 7,
  i32: (i) => i * 7 - 500,
  f64: (i) => i / 4 - 10,
  u64: (i) => 2n ** 63n + BigInt(i),
  i64: (i) => -(2n ** 40n) - BigInt(i),
  string: (i) => `key ${i}${'ö'.repeat(i % 40)}`,
  bytes: (i) => bytesOf(i, i >> 8, ...Array<number>(i % 30).fill(0xff)),
};
const VALUES: Record<string, (i: number) => unknown> = {
  u8: (i) => i,
  i8: (i) => i - 100,
  u16: (i) => i * 300,
  i16: (i) => i * 150 - 15_000,
  u32: (i) => i * 20_000_000,
  i32: (i) => i * 10_000_000 - 1_000_000_000,
  f32: (i) => i / 8,
  f64: (i) => i / 3,
  u64: (i) => 2n ** 63n + BigInt(i),
  i64: (i) => -(2n ** 62n) - BigInt(i),
  bool: (i) => i % 3 === 0,
  string: (i) => `value ${i}${'é'.repeat(long(i, (i * 10) % 500))}`,
  bytes: (i) => new Uint8Array(long(i, i * 3)).fill(i),
  json: (i) => ({ i, text: 'é', list: [null, true, 1.5] }),
  mixed: (i) =>
    [
      () => i / 2,
      () => VALUES.string(i),
      () => i % 4 === 0,
      () => BigInt(-i),
      () => 2n ** 64n - 1n - BigInt(i),
      () => VALUES.bytes(i),
    ][i % 6](),
};
const PAIRS = [
  ...Object.keys(KEYS).map((key) => [key, 'f64']),
  ...Object.keys(VALUES).map((value) => ['string', value]),
].filter(([key, value], i, all) => all.findIndex(([k, v]) => k === key && v === value) === i);

function run(...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 50_000 });
  expect(stderr).toBe('');
  expect({ status, error }).toEqual({ status: 0, error: undefined });
}

function start(...args: string[]): Promise<unknown> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return once(child, 'close').then(([code]) => code);
}

describe.skipIf(process.platform !== 'linux')('a map in a file that C++ and Node.js use', () => {
  let folder: string;
  beforeAll(() => {
    const source = join(native, 'capi', 'tests', 'exchange', 'sharedmap.cc');
    const flags = ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-I', join(native, 'capi', 'include')];
    const library = join(native, 'target', 'release', 'liboffheap.a');
    const args = [...flags, source, library, '-lpthread', '-ldl', '-lm', '-o', program];
    const { status, stderr } = spawnSync(process.env.CXX ?? 'c++', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(home, 'maps-'));
  });

  it('has the keys and values of every type that C++ wrote', () => {
    run('create', folder);
    for (const [key, value] of PAIRS) {
      const map: AnyShared = SharedMap.open(join(folder, `${key}-${value}`), { key, value } as never);
      expect(map.size).toBe(COUNT);
      for (let i = 0; i < COUNT; i++) {
        expect(map.get(KEYS[key](i)), `${key} to ${value}, ${i}`).toEqual(VALUES[value](i));
      }
      map.validate();
      map.close();
    }
  });

  it('shows C++ the keys and values of every type that Node.js wrote', () => {
    for (const [key, value] of PAIRS) {
      const options = { key, value, maxBytes: 1 << 20 } as never;
      const map: AnyShared = SharedMap.open(join(folder, `${key}-${value}`), options);
      for (let i = 0; i < COUNT; i++) map.set(KEYS[key](i), VALUES[value](i));
      map.close();
    }
    run('check', folder);
  });

  it('would notice a wrong value', () => {
    run('create', folder);
    const map: AnyShared = SharedMap.open(join(folder, 'string-json'), { key: 'string', value: 'json' });
    map.set(KEYS.string(5), { i: 6 });
    map.close();
    const { status, stderr } = spawnSync(program, ['check', folder], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, 'wrong: string to json: value 5\n']);
  });

  it('keeps structured values as they are when C++ copies them', () => {
    const path = join(folder, 'structured');
    const values = { date: new Date(5), map: new Map([[1, new Set(['a'])]]), large: 'x'.repeat(50_000) };
    const options = { key: 'string', value: 'structured', maxBytes: 1 << 20 } as const;
    const map = SharedMap.open(path, options);
    for (const [key, value] of Object.entries(values)) map.set(key, value);
    run('copy', path);
    for (const [key, value] of Object.entries(values)) {
      expect(map.get(`copy of ${key}`)).toEqual(value);
      expect(serialize(map.get(`copy of ${key}`))).toEqual(serialize(value));
      expect(map.remainingTtl(`copy of ${key}`)).toBeGreaterThan(3_000_000);
    }
    expect(map.size).toBe(6);
    map.close();
  });

  it('loses no change while both write', async () => {
    const path = join(folder, 'mixed');
    const map = SharedMap.open(path, { key: 'string', value: 'mixed', maxBytes: 1 << 20 });
    map.set('left', 0).set('right', 0);
    const rounds = 20_000;
    let running = 2;
    const children = ['churn', 'churn'].map(async (work) => {
      const code = await start(work, path, String(rounds));
      running--;
      return code;
    });
    let own = 0;
    const text = /^text \d+(?=!*$)/u;
    for (; running > 0 || own === 0; await turn()) {
      for (let i = 0; i < 200; i++, own++) {
        map.increment(`counter ${i % 10}`, 1);
        const key = `text ${(i * 7) % 100}`;
        if (i % 3 === 0) map.set(key, `${key}${'!'.repeat(i % 60)}`);
        const value = map.get(key);
        if (value !== undefined) expect(text.exec(value as string)?.[0]).toBe(key);
      }
      map.transaction((tx) => {
        tx.set('left', (tx.get('left') as number) + 5);
        tx.set('right', (tx.get('right') as number) - 5);
      });
    }
    expect(await Promise.all(children)).toEqual([0, 0]);
    let sum = 0;
    for (let i = 0; i < 10; i++) sum += map.get(`counter ${i}`) as number;
    expect(sum).toBe(own + 2 * rounds);
    const left = (own / 200) * 5 + (2 * rounds) / 100;
    expect([map.get('left'), map.get('right')]).toEqual([left, -left]);
    expect(map.stats().participants).toBe(1);
    map.validate();
    map.close();
  });

  it('gets a value that C++ computes, and waits for it', async () => {
    const path = join(folder, 'computed');
    const map = SharedMap.open(path, { key: 'string', value: 'mixed', maxBytes: 1 << 20 });
    const child = start('wait', path);
    while (!map.has('computing')) await turn();
    const value = map.getOrCompute('computed', () => 'by Node.js');
    await turn();
    map.set('waiting', true);
    expect(await value).toBe('by C++');
    expect(await child).toBe(0);
    map.close();
  });
});
