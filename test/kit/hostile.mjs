/**
 * A process that opens hostile bytes as a structure and runs every operation of its description on
 * the result. It ends well, or it crashes, hangs, or prints an error that is not an OffheapError:
 * its parent notices all three. The last case is kept in a file.
 *
 *   node hostile.mjs <folder of dist> <scratch folder> <title> <route> <mutation>
 */
import { ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describeAll } from './structures/index.mjs';

const [dist, scratch, title, route, mutation] = process.argv.slice(2);
const offheap = await import(join(dist, 'index.js'));
const { Class, make, kind, operations, metadataWords, iterator } = describeAll(offheap)[title];

const last = openSync(join(scratch, 'last'), 'w');
let random = 12345;
const below = (limit) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};

const original = await make();
const good = original.toBytes();
// Without the checksum, which would notice every change that is to be tried here.
new Uint32Array(good.buffer).fill(0, 7, 9);

/** Runs one call. Only an OffheapError may come out. */
function attempt(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof offheap.OffheapError && error.message.length > 5) return undefined;
    throw error;
  }
}

const entries = Object.values(operations);
const reads = entries.filter(({ writes }) => writes !== true);
const writes = entries.filter(({ writes }) => writes === true);

/**
 * Runs every operation: reads, writes where they are allowed, and reads of the changed contents.
 */
function exercise(structure) {
  for (const { run } of reads) attempt(() => run(structure));
  attempt(() => inspect(structure));
  if (iterator !== undefined) {
    attempt(() => {
      const iteration = iterator(structure);
      for (let step = 0; iteration.next().done !== true; step++) {
        if (step > 100_000) throw new Error('the iteration does not end');
      }
    });
  }
  for (const { run } of writes) attempt(() => run(structure));
  for (const { run } of reads) attempt(() => run(structure));
  for (const { run } of writes.toReversed()) attempt(() => run(structure));
  structure.close();
}

const path = join(scratch, 'hostile');
function open(bytes) {
  if (route === 'fromBytes') return Class.fromBytes(bytes);
  if (route === 'attach') {
    const buffer = new SharedArrayBuffer(Math.max(bytes.length, 1));
    new Uint8Array(buffer).set(bytes);
    // A reader waits half a minute for the end of a rearrangement: not here.
    if (buffer.byteLength >= 28) new Uint8Array(buffer)[24] &= ~1;
    return Class.attach({ offheap: kind, buffer });
  }
  writeFileSync(path, bytes);
  return Class.open(path, { mode: route === 'open rw' ? 'rw' : 'r' });
}

let opened = 0;
let refused = 0;
function run(bytes, description) {
  ftruncateSync(last, 0);
  writeSync(last, `${title}, ${route}: ${description}`, 0);
  const structure = attempt(() => open(bytes));
  if (structure === undefined) {
    refused++;
    return;
  }
  opened++;
  exercise(structure);
}

function changeBits() {
  const end = Math.min(metadataWords * 4, good.length);
  for (let bit = 0; bit < end * 8; bit++) {
    const bytes = good.slice();
    bytes[bit >> 3] ^= 1 << (bit & 7);
    run(bytes, `bit ${bit & 7} of byte ${bit >> 3}`);
  }
}

function changeLengths() {
  const step = Math.max(29, Math.floor(good.length / 300));
  for (let length = 0; length < good.length; length += step) {
    run(good.slice(0, length), `truncated to ${length} bytes`);
  }
  for (const more of [1, 63, 64, 4096]) {
    const bytes = new Uint8Array(good.length + more).fill(255);
    bytes.set(good);
    run(bytes, `${more} bytes longer`);
  }
}

/** Sets words of the header and of the tables to numbers that are likely to do harm. */
function changeWords() {
  const rounds = route.startsWith('open') ? 300 : 700;
  for (let round = 0; round < rounds; round++) {
    const bytes = good.slice();
    const words = new Uint32Array(bytes.buffer);
    const changes = [];
    for (let i = 0; i <= below(4); i++) {
      const area = below(3) === 0 ? 22 : below(2) === 0 ? metadataWords - 16 : words.length - 16;
      const at = Math.min(16 + below(area), words.length - 1);
      const any = words[below(words.length)];
      const choices = [0, 1, 2, 12, 26, 0xffffffff, 0x7fffffff, 0x80000000, below(2 ** 32), any];
      words[at] = choices[below(choices.length)];
      changes.push(`word ${at} = ${words[at]}`);
    }
    run(bytes, changes.join(', '));
  }
}

({ bits: changeBits, lengths: changeLengths, words: changeWords })[mutation]();
console.log(JSON.stringify({ opened, refused }));
