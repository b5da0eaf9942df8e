/** A process that appends to a vector until it is killed: see killing.mjs. */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const [, , module, folder, seed] = process.argv;
/** @type {typeof import('../../src/mmap/index.js')} */
const { MmapVector } = await import(module);
const notes = openSync(join(folder, `notes ${seed}`), 'a');
const note = (/** @type {string} */ line) => writeSync(notes, `${line}\n`);

let state = Number(seed) + 1;
const below = (/** @type {number} */ limit) => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 8) % limit;
};

const vector = MmapVector.open(join(folder, 'vector'), { mode: 'rw' });
let counter = Number(seed) * 1e9;
writeSync(1, 'ready');
// So that a kill that comes late, on a busy machine, finds no more than can be checked in a moment.
const STEPS = 300;
const MOST = 10_000;
for (let step = 0; step < STEPS; step++) {
  if ((below(6) === 0 && vector.length > 0) || vector.length > MOST) {
    const most = vector.length > MOST ? vector.length : Math.min(vector.length, 300);
    const length = vector.length - below(most);
    note(`truncate ${length}`);
    vector.truncate(length);
    // The next push in the place of flushed elements flushes by itself.
    if (length < vector.flushed) note('begin');
  }
  const count = below(200);
  note(`push ${count} ${counter}`);
  if (below(2) === 0) vector.pushMany(Float64Array.from({ length: count }, (_, i) => counter + i));
  else for (let i = 0; i < count; i++) vector.push(counter + i);
  counter += count;
  if (below(3) > 0) {
    note('begin');
    if (below(2) === 0) vector.flushSync();
    else await vector.flush();
    note('end');
  }
}
// Waits for its end, which may find it idle.
setInterval(() => undefined, 1000);
