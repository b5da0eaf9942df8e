/**
 * Operations by states: what every public method does on a map that is owned, attached, on a file
 * for `r` or `rw`, or closed after any of these. A method that is added without a line here fails
 * the first test.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { rejected, thrown, throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-states-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

type Numbers = HashMap<'u32', 'f64'>;

const entries = Array.from({ length: 30 }, (_, n) => [n, n / 2] as [number, number]);
const fill = (): Numbers => new HashMap({ key: 'u32', value: 'f64' }, entries);
/** Maps outlive their test through this, so that attached ones keep their owner. */
const owners: Numbers[] = [];

async function saved(): Promise<string> {
  const path = join(folder, `${files++}.bin`);
  await fill().save(path);
  return path;
}

const states: Record<string, () => Promise<Numbers>> = {
  owned: async () => fill(),
  shared: async () => {
    const map = fill();
    map.share();
    return map;
  },
  attached: async () => {
    const owner = fill();
    owners.push(owner);
    return HashMap.attach<'u32', 'f64'>(owner.share());
  },
  'on a file, r': async () => HashMap.open<'u32', 'f64'>(await saved()),
  'on a file, rw': async () => HashMap.open<'u32', 'f64'>(await saved(), { mode: 'rw' }),
  'on a file, attached': async () =>
    HashMap.attach<'u32', 'f64'>(HashMap.open<'u32', 'f64'>(await saved(), { mode: 'rw' }).share()),
};
const writable = new Set(['owned', 'shared', 'on a file, rw']);

interface Operation {
  run: (map: Numbers) => unknown;
  /** Changes the map, so is refused where it can only be read. */
  writes?: true;
  result?: unknown;
}
const handle = (map: Numbers): any => map.handleOf(4);

const operations: Record<string, Operation> = {
  size: { run: (map) => map.size, result: 30 },
  get: { run: (map) => map.get(4), result: 2 },
  has: { run: (map) => map.has(4), result: true },
  set: { run: (map) => map.set(4, 9).get(4), writes: true, result: 9 },
  delete: { run: (map) => map.delete(4), writes: true, result: true },
  clear: { run: (map) => map.clear(), writes: true },
  forEach: { run: (map) => map.forEach(() => undefined) },
  keys: { run: (map) => [...map.keys()], result: entries.map(([key]) => key) },
  values: { run: (map) => [...map.values()], result: entries.map(([, value]) => value) },
  entries: { run: (map) => [...map.entries()], result: entries },
  'Symbol(Symbol.iterator)': { run: (map) => [...map], result: entries },
  getOrInsert: { run: (map) => map.getOrInsert(400, 1), writes: true, result: 1 },
  getOrInsertComputed: {
    run: (map) => map.getOrInsertComputed(400, (key) => key),
    writes: true,
    result: 400,
  },
  update: { run: (map) => map.update(4, (value) => value! + 1), writes: true, result: 3 },
  handleOf: { run: (map) => typeof map.handleOf(4), result: 'number' },
  getByHandle: { run: (map) => map.getByHandle(handle(map)), result: 2 },
  setByHandle: { run: (map) => map.setByHandle(handle(map), 7).get(4), writes: true, result: 7 },
  keyByHandle: { run: (map) => map.keyByHandle(handle(map)), result: 4 },
  hasHandle: { run: (map) => map.hasHandle(handle(map)), result: true },
  getMany: { run: (map) => [...map.getMany(Uint32Array.of(4, 99))], result: [2, 0] },
  getManyFound: {
    run: (map) => [...map.getManyFound(Uint32Array.of(4, 99), new Float64Array(2))],
    result: [1, 0],
  },
  hasMany: { run: (map) => [...map.hasMany(Uint32Array.of(4, 99))], result: [1, 0] },
  setMany: { run: (map) => map.setMany([4], [8]).get(4), writes: true, result: 8 },
  deleteMany: { run: (map) => map.deleteMany([4, 99]), writes: true, result: 1 },
  handlesOf: { run: (map) => map.handlesOf([4])[0] === handle(map), result: true },
  getManyByHandle: { run: (map) => [...map.getManyByHandle([handle(map) as number])], result: [2] },
  columns: { run: (map) => [...map.columns().values], result: entries.map(([, value]) => value) },
  reserve: { run: (map) => map.reserve(500).size, writes: true, result: 30 },
  shrinkToFit: { run: (map) => map.shrinkToFit().size, writes: true, result: 30 },
  byteLength: { run: (map) => map.byteLength > 500, result: true },
  stats: { run: (map) => map.stats().size, result: 30 },
  validate: { run: (map) => map.validate() },
  share: { run: (map) => map.share().offheap, result: 'hashmap' },
  toBytes: { run: (map) => HashMap.fromBytes(map.toBytes()).size, result: 30 },
};
/** Those that are not operations on what the map holds; each has tests of its own below. */
const special = [
  'constructor',
  'close',
  'save',
  'toJSON',
  'Symbol(Symbol.dispose)',
  'Symbol(Symbol.toStringTag)',
  'Symbol(nodejs.util.inspect.custom)',
  String(Symbol.dispose),
];

it('every public method has its line here', () => {
  const inherited = Object.getPrototypeOf(HashMap.prototype) as object;
  const names = [...Reflect.ownKeys(HashMap.prototype), ...Reflect.ownKeys(inherited)].map(String);
  const known = new Set([...Object.keys(operations), ...special]);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

describe.each(Object.entries(states))('a map %s', (state, make) => {
  it.each(Object.entries(operations))('%s', async (_, { run, writes, result }) => {
    const map = await make();
    if (writes === true && !writable.has(state)) {
      const before = [...map];
      throws(() => run(map), 'ERR_OFFHEAP_UNSUPPORTED', /can be read, not changed/);
      expect([...map]).toEqual(before);
    } else {
      expect(run(map)).toEqual(result);
      map.validate();
    }
    map.close();
    expect(thrown(() => run(map)).code).toBe('ERR_OFFHEAP_CLOSED');
  });

  it('close: twice is fine, by `using` too; iterators end with it', async () => {
    const map = await make();
    const iterator = map.keys();
    iterator.next();
    expect(map.close()).toBeUndefined();
    expect(map.close()).toBeUndefined();
    map[Symbol.dispose]();
    throws(() => iterator.next(), 'ERR_OFFHEAP_CLOSED', /closed/);
    const other = await make();
    other[Symbol.dispose]();
    throws(() => other.size, 'ERR_OFFHEAP_CLOSED');
  });

  it('save', async () => {
    const map = await make();
    const path = join(folder, `${files++}.bin`);
    await map.save(path);
    expect([...HashMap.open(path)]).toEqual(entries);
    map.close();
    expect((await rejected(map.save(path))).code).toBe('ERR_OFFHEAP_CLOSED');
    expect([...HashMap.open(path)]).toEqual(entries);
  });

  it('inspect and toStringTag, also after close', async () => {
    const map = await make();
    expect(inspect(map)).toMatch(/^HashMap<u32, f64>\(30\) \{\s+0 => 0,\s+1 => 0\.5,/);
    expect(inspect({ map }, { depth: 0 })).toBe('{ map: [HashMap<u32, f64>(30)] }');
    expect(inspect(map, { maxArrayLength: 1 })).toMatch(/0 => 0, \.\.\. 29 more/);
    map.close();
    expect(inspect(map)).toBe('HashMap { closed }');
    expect(Object.prototype.toString.call(map)).toBe('[object HashMap]');
  });
});

describe('what a closed map leaves', () => {
  it('columns that were taken from memory stay readable; those of a file do not crash', async () => {
    const map = fill();
    const { values } = map.columns();
    map.close();
    expect(values[4]).toBe(2);
    const file = HashMap.open<'u32', 'f64'>(await saved());
    const columns = file.columns();
    expect(columns.values[4]).toBe(2);
    file.close();
    expect([undefined, 0, 2]).toContain(columns.values[4]);
  });

  it('columns of a file may be written to: the process lives, and the file stays as it is', async () => {
    const path = await saved();
    const before = readFileSync(path);
    const file = HashMap.open<'u32', 'f64'>(path);
    const { keys, values } = file.columns();
    values[4] = 77;
    file.getMany(keys, values);
    file.close();
    expect(readFileSync(path)).toEqual(before);
  });

  it('the other maps on the same bytes', async () => {
    const owner = fill();
    const [first, second] = [owner.share(), owner.share()].map((token) =>
      HashMap.attach<'u32', 'f64'>(token),
    );
    first.close();
    expect(second.get(4)).toBe(2);
    owner.close();
    expect(second.get(4)).toBe(2);
    second.validate();
    const path = await saved();
    const [one, two] = [HashMap.open<'u32', 'f64'>(path), HashMap.open<'u32', 'f64'>(path, { mode: 'rw' })];
    one.close();
    two.set(4, 5);
    expect(two.get(4)).toBe(5);
    expect(HashMap.open<'u32', 'f64'>(path).get(4)).toBe(2);
  });
});

describe('values of type any', () => {
  it('are neither shared nor saved nor turned into bytes', async () => {
    const map = new HashMap({ key: 'u32', value: 'any' }, [[1, Symbol('x')]]);
    throws(() => map.share(), 'ERR_OFFHEAP_UNSUPPORTED', /any/);
    throws(() => map.toBytes(), 'ERR_OFFHEAP_UNSUPPORTED', /any/);
    expect((await rejected(map.save(join(folder, 'any')))).code).toBe('ERR_OFFHEAP_UNSUPPORTED');
  });
});
