/**
 * A thread that attaches a map and works on it: `count` increments keys, `churn` sets, deletes and
 * checks keys until `stop` is set, or for as long as it lives; `compute` keeps a lease.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, token, role, seed, rounds, stop, keys } = workerData;
const { SharedMap } = await import(join(dist, 'sharedmap', 'index.js'));
const map = SharedMap.attach(token);
let random = seed;
const below = (limit) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};

/** A value that tells its key and has a length of its own: each byte is the key's lowest. */
function valueOf(key, length) {
  return `${key}:${String.fromCharCode(97 + (key % 26)).repeat(length)}`;
}

function check(key, value) {
  if (value === undefined) return true;
  const text = `${key}:`;
  const letter = String.fromCharCode(97 + (key % 26));
  return value.startsWith(text) && value.slice(text.length) === letter.repeat(value.length - text.length);
}

function count() {
  for (let i = 0; i < rounds; i++) {
    if (i % 2 === 0) map.increment(below(keys));
    else map.update(below(keys), (value = 0) => value + 1);
  }
  return {};
}

function churn() {
  const wrong = [];
  let operations = 0;
  parentPort.postMessage('started');
  while (Atomics.load(stop, 0) === 0 && wrong.length < 5) {
    const key = below(keys);
    const choice = below(10);
    // Sizes of all classes: short, long, and chained.
    if (choice < 4) map.set(key, valueOf(key, below(40) === 0 ? below(20_000) : below(150)));
    else if (choice < 6) map.delete(key);
    else if (!check(key, map.get(key))) wrong.push(`get ${key}`);
    if (operations % 5000 === 0) {
      for (const [k, value] of map) if (!check(k, value)) wrong.push(`iteration ${k}`);
    }
    if (operations % 20_000 === 19_999) map.clear();
    operations++;
  }
  return { wrong, operations };
}

/** Takes the lease of a key, and never computes its value. */
async function compute() {
  await map.getOrCompute('k', () => {
    parentPort.postMessage('computing');
    return new Promise(() => undefined);
  });
}

if (role === 'compute') {
  setInterval(() => undefined, 1000);
  await compute();
}
const result = role === 'count' ? count() : churn();
map.close();
parentPort.postMessage(result);
