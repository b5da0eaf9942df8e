/** The screen of `offheap top`: a pure function from figures to lines. */
import type { Participant, SharedMapStats } from '../sharedmap/index.js';
import { bytesText } from './text.js';

/** The figures of a map at one time. */
export interface Frame {
  path: string;
  /** Milliseconds since 1970. */
  time: number;
  stats: SharedMapStats;
  policy: string;
  /** Keys that are read often, the most frequent first. */
  hotKeys: { key: unknown; count: number }[];
  participants: Participant[];
  /** What happened to the file, if it is not there any more. */
  note?: string;
}

/** Changes per second between two frames. */
export interface Rates {
  gets: number;
  sets: number;
  deletes: number;
  evictions: number;
  expired: number;
  lockWaits: number;
  /** Found keys of all that were read in the interval, from 0 to 1; NaN: none was read. */
  hitRate: number;
}

/** The rates between two frames; those since the map was made without a `previous` one are NaN. */
export function ratesOf(frame: Frame, previous: Frame | undefined): Rates {
  const { stats } = frame;
  const before = previous?.stats;
  const seconds = previous === undefined ? NaN : (frame.time - previous.time) / 1000;
  // Participants that leave take their counts along.
  const per = (now: number, then: number | undefined): number =>
    Math.max(0, now - (then ?? NaN)) / Math.max(seconds, 1e-3);
  const found = before === undefined ? stats.hits : Math.max(0, stats.hits - before.hits);
  const missed = before === undefined ? stats.misses : Math.max(0, stats.misses - before.misses);
  return {
    gets: per(stats.hits + stats.misses, before && before.hits + before.misses),
    sets: per(stats.sets, before?.sets),
    deletes: per(stats.deletes, before?.deletes),
    evictions: per(stats.evictions, before?.evictions),
    expired: per(stats.expired, before?.expired),
    lockWaits: per(stats.lockWaits, before?.lockWaits),
    hitRate: found + missed === 0 ? NaN : found / (found + missed),
  };
}

const count = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '-';
const percent = (share: number): string => (Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : '-');

/** `[#####     ]` of a width, at least 3. */
export function bar(share: number, width: number): string {
  const inside = Math.max(1, width - 2);
  const full = Number.isFinite(share) ? Math.round(Math.min(1, Math.max(0, share)) * inside) : 0;
  return `[${'#'.repeat(full)}${' '.repeat(inside - full)}]`;
}

/** Control characters of a key, which come from the file, must not reach the terminal. */
export function keyText(key: unknown): string {
  const text =
    key instanceof Uint8Array
      ? `<${Buffer.from(key).toString('hex')}>`
      : typeof key === 'string'
        ? JSON.stringify(key)
        : String(key);
  return text.replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/g, '\ufffd');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3))}...`;
}

/** The lines of the screen, none wider than `width`; not more than `height`. */
export function screen(
  frame: Frame,
  previous: Frame | undefined,
  width: number,
  height = Infinity,
): string[] {
  const { stats, participants } = frame;
  const rates = ratesOf(frame, previous);
  const used = stats.usedBytes / stats.maxBytes;
  const usage = `${bytesText(stats.usedBytes)} of ${bytesText(stats.maxBytes)}, ${percent(used)}`;
  const row = (...cells: [name: string, value: string][]): string =>
    cells.map(([name, value]) => `${name.padEnd(11)}${value.padStart(13)}`).join('   ');
  const lines = [
    `offheap top  ${frame.path}  ${new Date(frame.time).toISOString()}`,
    ...(frame.note === undefined ? [] : [frame.note]),
    '',
    `memory  ${bar(used, Math.min(40, width - 12 - usage.length))} ${usage}`,
    row(['entries', count(stats.entries)], ['policy', frame.policy]),
    row(['content', bytesText(stats.contentBytes)], ['free', bytesText(stats.freeBytes)]),
    row(['index', bytesText(stats.indexBytes)], ['shards', count(stats.shards)]),
    '',
    row(['hit rate', percent(rates.hitRate)], ['gets/s', count(rates.gets)]),
    row(['sets/s', count(rates.sets)], ['deletes/s', count(rates.deletes)]),
    row(['evicted/s', count(rates.evictions)], ['expired/s', count(rates.expired)]),
    row(['waits/s', count(rates.lockWaits)], ['repairs', count(stats.repairs)]),
    '',
    `participants  ${participants.length}`,
    ...(participants.length === 0 ? [] : ['       pid     thread           hits         misses  attached']),
    ...participants.map(
      ({ pid, thread, hits, misses, attached }) =>
        `${String(pid).padStart(10)} ${String(thread).padStart(10)} ${count(hits).padStart(14)} ${count(misses).padStart(14)}  ${new Date(attached).toISOString()}`,
    ),
    '',
    `hottest keys  ${frame.hotKeys.length === 0 ? 'none sampled yet' : '(reads, estimated from samples)'}`,
    ...frame.hotKeys.map(({ key, count: reads }) => `${count(reads).padStart(10)}  ${keyText(key)}`),
  ];
  return lines.slice(0, height).map((line) => cut(line.trimEnd(), width));
}
