/**
 * Files in memory: a table read through MappedFile, and a log of queries in an MmapVector, whose
 * writer is killed halfway.
 */
import { fork } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HashMap } from 'offheap/hashmap';
import { MappedFile, MmapVector } from 'offheap/mmap';
import { median, timed } from '../lib/clock.mjs';
import { queryOf } from '../lib/queries.mjs';
import { answers, count, heading, megabytes, ms } from '../lib/screen.mjs';

export const title = 'Mapped files';
const QUERIES = 200_000;
/** Lines that are appended one by one; each append opens the file. */
const LINES = 500;

/** Runs the logger to its end, or kills it as soon as `enough` queries are flushed. */
function keepLog(path, enough = Infinity) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('../logger.mjs', import.meta.url)), [path, String(QUERIES)]);
    let flushed = 0;
    child.on('message', (message) => {
      flushed = message.flushed ?? message.found;
      if (flushed >= enough) child.kill('SIGKILL');
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0 || (signal === 'SIGKILL' && enough !== Infinity)) resolve(flushed);
      else reject(new Error(`the process that writes the log exited with ${code ?? signal}`));
    });
  });
}

/** The number of queries in the log, each of which must be correct. */
function checkLog(checks, path) {
  const log = MmapVector.open(path);
  log.validate();
  log.forEach((query, i) => checks.same(`query ${i}`, query, queryOf(i)));
  const { length } = log;
  log.close();
  return length;
}

async function readTables(world, folder) {
  const { tables, plain, checks } = world;
  const path = join(folder, 'latitudes');
  await tables.lat.save(path);
  const file = MappedFile.open(path, { pattern: 'sequential' });
  const lat = HashMap.fromBytes(file.bytes);
  for (const city of plain.all) checks.same(`latitude of ${city.id}, mapped`, lat.get(city.id), city.lat);
  lat.close();
  const sum = (/** @type {Uint8Array} */ bytes) =>
    bytes[0] + bytes[bytes.length >> 1] + bytes[bytes.length - 1];
  const mapped = () => {
    const again = MappedFile.open(path);
    const result = sum(again.bytes);
    again.close();
    return result;
  };
  checks.same('bytes of the file', mapped(), sum(readFileSync(path)));
  const facts = { strategy: file.strategy, size: file.size };
  file.close();
  return { ...facts, ours: median(mapped, 21), plain: median(() => sum(readFileSync(path)), 21) };
}

export async function run(world) {
  heading(title);
  const { checks } = world;
  const folder = mkdtempSync(join(tmpdir(), 'offheap-demo-'));
  try {
    const file = await readTables(world, folder);

    const path = join(folder, 'log');
    MmapVector.create(path, 'u32').close();
    const flushed = await keepLog(path, QUERIES / 2);
    const found = checkLog(checks, path);
    checks.same('the log contains everything flushed before the kill', found >= flushed, true);
    await keepLog(path);
    checks.same('queries in the log', checkLog(checks, path), QUERIES);

    const log = MmapVector.create(join(folder, 'fast'), 'u32');
    const ours = timed(() => {
      for (let i = 0; i < QUERIES; i++) log.push(queryOf(i));
      log.flushSync();
    });
    log.close();
    const lines = timed(() => {
      for (let i = 0; i < LINES; i++) appendFileSync(join(folder, 'lines'), `${queryOf(i)}\n`);
    });
    const [each, line] = [ours.ms / QUERIES, lines.ms / LINES];
    answers([
      [
        'opened',
        `${megabytes(file.size)} of latitudes with MappedFile (${file.strategy}); every entry compared`,
      ],
      ['killed', `after ${count(flushed)} flushed queries; the log contained ${count(found)}, all correct`],
      ['resumed', `up to ${count(QUERIES)} queries, appended and flushed a thousand at a time`],
    ]);
    return [
      {
        label: 'open a table’s file, read three bytes',
        ours: ms(file.ours),
        plain: ms(file.plain),
        ratio: file.plain / file.ours,
      },
      { label: 'log a query (flush included)', ours: ms(each), plain: ms(line), ratio: line / each },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
