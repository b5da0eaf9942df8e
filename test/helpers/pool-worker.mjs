/**
 * A thread that allocates and frees in a shared pool. It fills every block with a unique number,
 * and the thread that frees the block checks it, which detects a block that was allocated twice.
 *
 *   workerData: { dist, token, engine: 'js' | 'rust' | 'cached', seed, operations, sizes, mailbox,
 *   single }
 *
 * `single`: one block at a time. `operations` 0: the same, on and on, until it is terminated.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, token, engine, seed, operations, sizes, mailbox, single } = workerData;
const load = (...path) => import(pathToFileURL(join(dist, ...path)).href);
const { LockFreePool, ThreadLocalPool } = await load('pools', 'index.js');
const { native } = await load('native.js');
const pool = LockFreePool.attach(token);

function allocator() {
  if (engine === 'js') return pool;
  if (engine === 'cached') return new ThreadLocalPool(pool, { cacheBytes: 16_384 });
  const handle = native().lockfreepoolAttach(new Uint8Array(token.buffer), undefined);
  return {
    tryAlloc: (bytes) => native().lockfreepoolAlloc(handle, bytes),
    free: (offset) => native().lockfreepoolFree(handle, offset),
  };
}
const from = allocator();
const { u32 } = pool;

let random = seed | 1;
function below(limit) {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return Math.floor(((random >>> 0) / 2 ** 32) * limit);
}

/** The first word is the size, the others the tag. */
function mark(at, bytes, tag) {
  u32[at / 4] = bytes;
  for (let i = 1; i < bytes >> 2; i++) u32[at / 4 + i] = tag;
}

function look(at) {
  const bytes = u32[at / 4];
  for (let i = 2; i < bytes >> 2; i++) {
    if (u32[at / 4 + i] !== u32[at / 4 + 1]) throw new Error(`the block at ${at} is held twice`);
  }
}

function release(at) {
  look(at);
  from.free(at);
}

if (operations === 0) {
  parentPort.postMessage('begun');
  for (;;) {
    const at = from.tryAlloc(sizes[below(sizes.length)]);
    if (at >= 0) from.free(at);
  }
}

const held = [];
let failures = 0;
for (let step = 0; step < operations; step++) {
  if (single) {
    const at = from.tryAlloc(sizes[0]);
    if (at < 0) failures++;
    else {
      mark(at, sizes[0], step);
      release(at);
    }
  } else if (held.length > 40 || (held.length > 0 && below(2) === 0)) {
    const [at] = held.splice(below(held.length), 1);
    if (below(4) > 0) {
      release(at);
      continue;
    }
    // To another thread, and what another one left there is ours.
    look(at);
    const other = Atomics.exchange(mailbox, below(mailbox.length), at + 1) - 1;
    if (other >= 0) release(other);
  } else {
    const bytes = sizes[below(sizes.length)];
    const at = from.tryAlloc(bytes);
    if (at < 0) failures++;
    else {
      mark(at, bytes, below(2 ** 32));
      held.push(at);
    }
  }
}
held.forEach(release);
parentPort.postMessage({ failures });
