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
const { Class, make, kind, operations, metadataWords, iterator, misuse } = describeAll(offheap)[title];

const last = openSync(join(scratch, 'last'), 'w');
let random = 12345;
const below = (limit) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};

const original = await make();
const sealed = original.toBytes();
// Without the checksum, which would notice every change that is to be tried here.
const good = sealed.slice();
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
  misuse?.(structure, attempt);
  for (const { run } of writes) attempt(() => run(structure));
  for (const { run } of reads) attempt(() => run(structure));
  for (const { run } of writes.toReversed()) attempt(() => run(structure));
  structure.close();
}

const files = route.startsWith('open');
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

/**
 * Changes each bit of the metadata, and those of the header also where a checksum covers them.
 * Attached, it changes the bits of the header: each of the first 32 words, some of the others.
 */
function changeBits() {
  const attached = route === 'attach';
  const end = attached ? 256 : Math.min(metadataWords * 4, good.length);
  for (let bit = 0; bit < end * 8; bit += attached && bit >= 1024 ? 5 : 1) {
    for (const whole of bit < 2048 && !attached ? [good, sealed] : [good]) {
      const bytes = whole.slice();
      bytes[bit >> 3] ^= 1 << (bit & 7);
      run(bytes, `bit ${bit & 7} of byte ${bit >> 3}${whole === sealed ? ', sealed' : ''}`);
    }
  }
}

/** Changes one bit in about 400 of the bytes, and in 100 where that takes a file. */
function changeBytes() {
  const step = Math.max(9, Math.floor(good.length / (files ? 50 : 200)));
  for (let at = 0; at < good.length; at += 1 + below(step)) {
    const bytes = good.slice();
    bytes[at] ^= 1 << below(8);
    run(bytes, `byte ${at} became ${bytes[at]}`);
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

const HARMFUL = [0, 1, 2, 5, 8, 12, 15, 26, 31, 64, 0x7fffffff, 0x80000000, 2 ** 32 - 64, 2 ** 32 - 1];

/** Sets words of the header and of the tables to numbers that are likely to do harm. */
function changeWords() {
  for (let word = 0; word < 24; word++) {
    for (const number of files ? HARMFUL.slice(-5) : HARMFUL) {
      const bytes = good.slice();
      new Uint32Array(bytes.buffer)[word] = number;
      run(bytes, `word ${word} = ${number}`);
    }
  }
  const rounds = files ? 280 : 864;
  for (let round = 0; round < rounds; round++) {
    const bytes = good.slice();
    const words = new Uint32Array(bytes.buffer);
    const changes = [];
    for (let i = 0; i <= below(4); i++) {
      const area = below(3) === 0 ? 22 : below(2) === 0 ? metadataWords - 16 : words.length - 16;
      const at = Math.min(16 + below(area), words.length - 1);
      const any = words[below(words.length)];
      const choices = [...HARMFUL, below(2 ** 32), below(64), (below(64) << 4) | 15, any];
      words[at] = choices[below(choices.length)];
      changes.push(`word ${at} = ${words[at]}`);
    }
    run(bytes, changes.join(', '));
  }
}

/** Overwrites up to 40 bytes after the header: often with 0xff words, and sometimes all of them. */
function changeContents() {
  if (good.length === 256) return;
  for (let round = 0; round < 600; round++) {
    const bytes = good.slice();
    if (round % 150 === 0) bytes.fill(255, 256);
    for (let n = 0; n <= round % 40; n++) bytes[256 + below(bytes.length - 256)] = below(256);
    if (round % 5 === 0) new Uint32Array(bytes.buffer)[64 + below(bytes.length / 4 - 64)] = 0xffffffff;
    run(bytes, `round ${round}`);
  }
}

const mutations = {
  bits: changeBits,
  bytes: changeBytes,
  lengths: changeLengths,
  words: changeWords,
  contents: changeContents,
};
mutations[mutation]();
console.log(JSON.stringify({ opened, refused }));
