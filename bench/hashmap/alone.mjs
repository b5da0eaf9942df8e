/**
 * Measurements that need a process of their own, each selected by `what`: memory, the pause of a
 * full garbage collection, opening a saved map compared with rebuilding one, and lookups after
 * other schemas were used.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../lib/child.mjs';
import { compile, median, nanoseconds } from '../lib/measure.mjs';
import { contenders } from './contenders.mjs';
import { PREFIX, kinds, makeKeys, makeQueries, mix } from './keys.mjs';

const collect = /** @type {() => void} */ (globalThis.gc);

async function one(name) {
  const { contenders: present } = await contenders([name]);
  if (present.length === 0) throw new Error(`${name} is not installed`);
  return present[0];
}

/** Fills a map without an array of keys, so that only the map is measured. */
const FILL = {
  u32: compile('for (let i = 0; i < to; i++) m.set(a(i + 12345), i + 0.5);'),
  string: compile('for (let i = 0; i < to; i++) m.set(b + a(i + 4242), i + 0.5);'),
};

function fill(map, kindName, n) {
  FILL[/** @type {'u32' | 'string'} */ (kindName)](map, mix, PREFIX, 0, n);
}

function used() {
  collect();
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

const work = {
  /** Bytes of a filled map: on the heap, in the process, and as the map reports them. */
  async memory({ name, kindName, n }) {
    const contender = await one(name);
    const schema = { key: kinds[kindName].key, value: 'f64' };
    const warm = contender.make(schema);
    fill(warm, kindName, 1000);
    contender.release(warm);
    const before = used();
    const map = contender.make(schema);
    fill(map, kindName, n);
    const after = used();
    const own = typeof map.byteLength === 'number' ? map.byteLength : undefined;
    if (map.get(kindName === 'u32' ? mix(12345) : PREFIX + mix(4242)) !== 0.5) throw new Error('lost a key');
    const heap = after.heap - before.heap;
    return { heap, rss: after.rss - before.rss, own, bytes: own === undefined ? heap : own + heap };
  },

  /** Full collections while a map of n entries is alive, in milliseconds. */
  async collection({ name, n }) {
    const contender = await one(name);
    const map = contender.make({ key: 'u32', value: 'f64' });
    fill(map, 'u32', n);
    collect();
    const pauses = Array.from({ length: 5 }, () => nanoseconds(collect) / 1e6);
    if (map.get(mix(12345)) !== 0.5) throw new Error('lost a key');
    return { ms: median(pauses), pauses };
  },

  /** Saves a map, and the same data as plain columns, for the next two measurements. */
  async save({ folder, n }) {
    const contender = await one('HashMap');
    const map = contender.make({ key: 'u32', value: 'f64' });
    const keys = makeKeys(kinds.u32, n);
    const values = Float64Array.from(keys, (_, i) => i + 0.5);
    map.setMany(keys, values);
    writeFileSync(join(folder, 'keys'), keys);
    writeFileSync(join(folder, 'values'), values);
    const ms = await (async () => {
      const started = performance.now();
      await map.save(join(folder, 'map'));
      return performance.now() - started;
    })();
    return { ms, key: keys[n >> 1], value: values[n >> 1], byteLength: map.byteLength };
  },

  /** Opens the saved map and looks up one key. The time to load the addon is included. */
  async open({ folder, key, value }) {
    const { HashMap } = await import('../../dist/hashmap/index.js');
    let answer;
    const opened = nanoseconds(() => {
      const map = HashMap.open(join(folder, 'map'), { mode: 'r' });
      answer = map.get(key);
    });
    if (answer !== value) throw new Error(`opened map answers ${answer}, not ${value}`);
    const again = nanoseconds(() => HashMap.open(join(folder, 'map'), { mode: 'r' }).get(key));
    return { ms: opened / 1e6, againMs: again / 1e6 };
  },

  /** Builds a Map from plain columns: the cost of a restart without a mapped file. */
  async rebuild({ folder, key, value }) {
    let answer;
    const ns = nanoseconds(() => {
      const bytes = (/** @type {string} */ file) => {
        const { buffer, byteOffset, byteLength } = readFileSync(join(folder, file));
        return buffer.slice(byteOffset, byteOffset + byteLength);
      };
      const keys = new Uint32Array(bytes('keys'));
      const values = new Float64Array(bytes('values'));
      const map = new Map();
      for (let i = 0; i < keys.length; i++) map.set(keys[i], values[i]);
      answer = map.get(key);
    });
    if (answer !== value) throw new Error(`rebuilt map answers ${answer}, not ${value}`);
    return { ms: ns / 1e6 };
  },

  /** get and set of u32 -> f64, in a process that may have used five other schemas before. */
  async schemas({ after, n }) {
    const { HashMap } = await import('../../dist/hashmap/index.js');
    if (after) {
      /** @type {[any, any, (i: number) => any, (i: number) => any][]} */
      const others = [
        ['i32', 'i32', (i) => mix(i) | 0, (i) => i],
        ['f64', 'f64', (i) => mix(i) * 0.7, (i) => i * 0.5],
        ['string', 'u32', (i) => PREFIX + mix(i), (i) => i],
        ['u64', 'i64', (i) => BigInt(mix(i)), (i) => BigInt(i)],
        ['u32', 'bool', (i) => mix(i), (i) => i % 2 === 0],
      ];
      for (const [key, value, keyAt, valueAt] of others) {
        const map = new HashMap({ key, value });
        for (let i = 0; i < 1e5; i++) map.set(keyAt(i), valueAt(i));
        let found = 0;
        for (let i = 0; i < 2e5; i++) if (map.get(keyAt(i)) !== undefined) found++;
        if (found !== 1e5) throw new Error(`${key} -> ${value} found ${found}`);
      }
    }
    const keys = makeKeys(kinds.u32, n);
    const queries = makeQueries(kinds.u32, keys);
    const get = compile('let s = 0; for (let i = from; i < to; i++) s += m.get(a[i]); return s;');
    const set = compile('for (let i = from; i < to; i++) m.set(a[i], i + 0.5); return m;');
    const make = () => new HashMap({ key: 'u32', value: 'f64' });
    const maps = Array.from({ length: 3 }, () => set(make(), keys, undefined, 0, n));
    const gets = [];
    const sets = [];
    for (let round = 0; round < 9; round++) {
      const ns = nanoseconds(() => maps.forEach((map) => get(map, queries, undefined, 0, queries.length)));
      gets.push(ns / (3 * queries.length));
      sets.push(nanoseconds(() => set(make(), keys, undefined, 0, n)) / n);
      collect();
    }
    return { get: Math.min(...gets), set: Math.min(...sets), gets, sets };
  },
};

serve(async ({ what, ...options }) => work[/** @type {keyof typeof work} */ (what)](options));
