/**
 * Kills processes while they append to an MmapVector, and checks the file. It must contain one
 * complete state: that of the last flush that returned, or of one requested after it.
 * `scripts/kill-loop.mjs` runs longer than the tests.
 *
 * The process (killed.mjs) logs each step before it starts, in a file next to the vector. The log
 * survives because the kernel keeps the writes of a killed process.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const victim = join(import.meta.dirname, 'killed.mjs');
/** Rounds that a file goes through before there is a new one. */
const LIVES = 8;

/**
 * The states that the vector may be in, by the victim's notes: lists of its elements.
 * @param {string} notes @param {number[]} start
 */
function candidates(notes, start) {
  let now = [...start];
  let states = [[...start]];
  for (const line of notes.split('\n').slice(0, -1)) {
    const [what, number, first] = line.split(' ');
    if (what === 'push') for (let i = 0; i < Number(number); i++) now.push(Number(first) + i);
    else if (what === 'truncate') now = now.slice(0, Number(number));
    else if (what === 'begin') states.push([...now]);
    // The last request is complete, so the file cannot contain an earlier state.
    else if (what === 'end') states = states.slice(-1);
    else throw new Error(`unknown step: ${line}`);
  }
  return states;
}

/**
 * One process, killed after about `delay` milliseconds of work. @param {string} module @param
 * {string} folder
 * @param {number} seed @param {number} delay @returns {Promise<string>} its notes
 */
function round(module, folder, seed, delay) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [victim, module, folder, String(seed)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaint = '';
    child.stderr.on('data', (/** @type {Buffer} */ text) => (complaint += text.toString()));
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay));
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve(readFileSync(join(folder, `notes ${seed}`), 'utf8'));
      else reject(new Error(`the process ended by itself: ${code} ${signal} ${complaint}`));
    });
  });
}

/**
 * Kills `rounds` processes. `dist` is the folder of the built package; the files lie in a folder
 * under `within`, which is in memory if nothing is said: what a kill leaves is the same there, and
 * syncing takes no time.
 * @param {string} dist @param {number} rounds @param {number} seed @param {string} [within]
 * @returns {Promise<{ flushes: number, between: number, recovered: number }>}
 * how many flushes had returned, how many
 * kills fell into one, and how many left a record that was cut short
 */
export async function kill(dist, rounds, seed, within = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()) {
  const module = join(dist, 'mmap', 'index.js');
  /** @type {typeof import('../../src/mmap/index.js')} */
  const { MmapVector } = await import(module);
  const tally = { flushes: 0, between: 0, recovered: 0 };
  let folder = '';
  /** @type {number[]} */
  let elements = [];
  for (let i = 0; i < rounds; i++) {
    if (i % LIVES === 0) {
      if (folder !== '') rmSync(folder, { recursive: true });
      folder = mkdtempSync(join(within, 'offheap-kill-'));
      elements = [];
      MmapVector.create(join(folder, 'vector'), 'f64').close();
    }
    const notes = await round(module, folder, seed + i, (i * 7) % 13);
    const states = candidates(notes, elements);
    const vector = MmapVector.open(join(folder, 'vector'), { mode: i % 2 === 0 ? 'r' : 'rw' });
    vector.validate();
    const found = [...vector];
    const same = states.some(
      (state) => state.length === found.length && state.every((x, at) => x === found[at]),
    );
    if (!same) {
      throw new Error(
        `round ${i} (seed ${seed}) left ${found.length} elements, not one of ${states.map(({ length }) => length)}; see ${folder}`,
      );
    }
    tally.flushes += notes.split('end').length - 1;
    tally.between += states.length > 1 ? 1 : 0;
    tally.recovered += vector.recovered ? 1 : 0;
    vector.close();
    elements = found;
  }
  rmSync(folder, { recursive: true });
  return tally;
}
