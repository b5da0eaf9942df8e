/**
 * A thread that owns a HashMap or reads one. Every value says which key it belongs to, so a reader
 * can tell a right answer from a wrong one whatever the owner is doing.
 *
 *   workerData: { dist, role: 'own' | 'read' | 'ask', schema, token, stop }
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, role, schema, token, stop, seed } = workerData;
const { HashMap, OffheapError } = await import(pathToFileURL(join(dist, 'hashmap', 'index.js')).href);

let random = (seed ?? 1) | 1;
function below(limit) {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return Math.floor(((random >>> 0) / 2 ** 32) * limit);
}

/**
 * The two schemas: numbers, whose columns native code reads, and strings, which live in the heap.
 */
const SCHEMAS = {
  numbers: {
    types: { key: 'u32', value: 'f64' },
    key: (n) => Math.imul(n, 2654435761) >>> 0,
    value: (key, version) => key * 1024 + (version & 1023),
    fits: (key, value) => Math.floor(value / 1024) === key,
  },
  strings: {
    types: { key: 'string', value: 'string' },
    key: (n) => `key ${n} ${'é'.repeat(n % 9)}`,
    value: (key, version) => `${key}|${'x'.repeat(version % 40)}`,
    fits: (key, value) => value.startsWith(`${key}|`) && /^x*$/.test(value.slice(key.length + 1)),
  },
};
const { types, key: keyOf, value: valueOf, fits } = SCHEMAS[schema];
const KEYS = 3000;

/** One random change. */
function change(map, version) {
  const dice = below(1000);
  if (dice === 0) map.clear();
  else if (dice === 1) map.shrinkToFit();
  else if (dice === 2) map.reserve(map.size + 3000);
  else if (dice < 6) {
    const keys = Array.from({ length: 200 }, () => keyOf(below(KEYS)));
    map.setMany(
      keys,
      keys.map((key) => valueOf(key, version)),
    );
  } else if (dice < 9) map.deleteMany(Array.from({ length: 100 }, () => keyOf(below(KEYS))));
  else if (dice < 12) map.handleOf(keyOf(below(KEYS)));
  else if (dice < 400) map.delete(keyOf(below(KEYS)));
  else {
    const key = keyOf(below(KEYS));
    map.set(key, valueOf(key, version));
  }
}

function own() {
  const map = new HashMap(types);
  for (let n = 0; n < 500; n++) map.set(keyOf(n), valueOf(keyOf(n), n));
  parentPort.postMessage(map.share());
  for (let version = 0; ; version++) change(map, version);
}

const wrong = [];
function check(key, value) {
  if (!fits(key, value)) wrong.push(`${String(key)} => ${String(value)}`);
}

/** One random read; every value that comes out is checked. */
function look(map) {
  const dice = below(100);
  if (dice < 60) {
    const key = keyOf(below(KEYS));
    const value = map.get(key);
    if (value !== undefined) check(key, value);
  } else if (dice < 80) {
    const handle = map.handleOf(keyOf(below(KEYS)));
    if (handle === undefined) return;
    const key = map.keyByHandle(handle);
    const value = map.getByHandle(handle);
    if (key !== undefined && value !== undefined) check(key, value);
  } else if (dice < 90) {
    const keys = Array.from({ length: 64 }, () => keyOf(below(KEYS)));
    const out = new Array(64).fill(undefined);
    map.getMany(keys, out).forEach((value, i) => value !== undefined && check(keys[i], value));
    map.hasMany(keys);
    if (schema === 'numbers') {
      const values = new Float64Array(64).fill(-1);
      const typed = Uint32Array.from(keys);
      const found = map.getManyFound(typed, values);
      found.forEach((is, i) =>
        is === 1 ? check(keys[i], values[i]) : values[i] !== -1 && wrong.push(`${i} was touched`),
      );
    }
  } else if (dice < 96) {
    // An owner that squeezes entries out may take the iterator's place away; that is said, not
    // guessed.
    try {
      let steps = 0;
      for (const [key, value] of map) {
        check(key, value);
        if (++steps > 200) break;
      }
    } catch (error) {
      if (error.code !== 'ERR_OFFHEAP_STALE') throw error;
    }
  } else if (dice === 96) {
    const copy = HashMap.fromBytes(map.toBytes());
    copy.validate();
    for (const [key, value] of copy) check(key, value);
    copy.set(keyOf(1), valueOf(keyOf(1), 1));
  } else if (map.size < 0 || map.size > KEYS + 3) wrong.push(`size ${map.size}`);
}

function read() {
  const map = HashMap.attach(token);
  parentPort.postMessage('ready');
  let looks = 0;
  let error;
  try {
    while (Atomics.load(stop, 0) === 0) {
      look(map);
      looks++;
    }
    map.validate();
    for (const [key, value] of map) check(key, value);
  } catch (caught) {
    error =
      caught instanceof OffheapError ? `${caught.code} ${caught.stack}` : String(caught?.stack ?? caught);
  }
  parentPort.postMessage({ looks, wrong: wrong.slice(0, 5), error });
}

function ask() {
  const map = HashMap.attach(token);
  const key = keyOf(1);
  const value = valueOf(key, 1);
  const changes = [
    () => map.set(key, value),
    () => map.setMany([key], [value]),
    () => map.setByHandle(map.handleOf(key), value),
    () => map.delete(key),
    () => map.deleteMany([key]),
    () => map.clear(),
    () => map.reserve(100),
    () => map.shrinkToFit(),
  ];
  const codes = changes.map((change) => {
    try {
      change();
      return 'none';
    } catch (error) {
      return error.code;
    }
  });
  parentPort.postMessage({ size: map.size, entries: [...map], codes });
}

({ own, read, ask })[role]();
