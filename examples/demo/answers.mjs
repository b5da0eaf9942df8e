/**
 * A worker, or a process, that answers requests and keeps the answers: in a SharedMap, in a Map of
 * its own, or in a Map of the thread that started it, which it asks by messages.
 */
import { getHeapStatistics } from 'node:v8';
import process from 'node:process';
import { parentPort } from 'node:worker_threads';
import { HashMap } from 'offheap/hashmap';
import { SharedMap } from 'offheap/sharedmap';
import { collector } from './lib/clock.mjs';
import { nearby, requestedPoints } from './lib/nearby.mjs';

/** Requests in flight. */
const CLIENTS = 16;

const collect = collector();
const send = parentPort === null ? (m) => process.send(m) : (m) => parentPort.postMessage(m);
let tables;
let shared;
let own = new Map();
/** Requests to the owner that it has not answered. */
const asked = new Map();
let lastId = 0;
let computed = 0;

function compute(point) {
  computed++;
  return nearby(tables, point);
}

const stores = {
  // A hit is synchronous. Of those that miss the same answer, one computes it.
  shared: (point) => shared.get(point) ?? shared.getOrCompute(point, compute),
  own(point) {
    let answer = own.get(point);
    if (answer === undefined) own.set(point, (answer = compute(point)));
    return answer;
  },
  async owner(point) {
    const id = ++lastId;
    const reply = new Promise((resolve) => asked.set(id, resolve));
    send({ want: point, id });
    const found = await reply;
    if (found !== undefined) return found;
    const answer = compute(point);
    send({ keep: point, answer });
    return answer;
  },
};

async function serve({ from, seed, requests }) {
  const points = requestedPoints(seed, requests);
  // The nearest place, and the sum of the distances, are compared with those of plain JavaScript.
  const nearest = new Uint32Array(requests);
  const kilometers = new Float64Array(requests);
  const store = stores[from];
  const before = computed;
  let next = 0;
  async function client() {
    while (next < requests) {
      const i = next++;
      const found = store(points[i]);
      const answer = Array.isArray(found) ? found : await found;
      nearest[i] = answer[0].id;
      kilometers[i] = answer.reduce((sum, { km }) => sum + km, 0);
    }
  }
  const started = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const workMs = performance.now() - started;
  return { points, nearest, kilometers, computed: computed - before, workMs };
}

/** The bytes of the answers in the Map: those that a collection frees when it is dropped. */
function ownBytes() {
  const heap = () => (collect(), getHeapStatistics().used_heap_size);
  const before = heap();
  own = new Map();
  return before - heap();
}

const tasks = {
  attach({ tokens, answers }) {
    tables = Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, HashMap.attach(token)]));
    shared = SharedMap.attach(answers);
  },
  open({ paths, answers }) {
    tables = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, HashMap.open(path)]));
    shared = SharedMap.open(answers);
  },
  serve,
  weigh: ownBytes,
  close() {
    shared.close();
  },
};

(parentPort ?? process).on('message', async (message) => {
  if (message.reply !== undefined) {
    asked.get(message.reply)(message.found);
    asked.delete(message.reply);
    return;
  }
  send({ done: (await tasks[message.task](message)) ?? true });
});
