/**
 * The buffers of a server: each response is written into a buffer of 16 KiB, a hundred responses
 * are in flight, and the oldest finishes first. Plain JavaScript allocates a new Buffer each time
 * and leaves the old ones to the garbage collector.
 */
import { Buffer } from 'node:buffer';
import { FixedPool } from 'offheap/pools';
import { answers, count, heading, ms } from '../lib/screen.mjs';

export const title = 'Buffers';
const BYTES = 16_384;
const UNDER_WAY = 100;
const ANSWERS = 50_000;

export function run({ cities, checks }) {
  heading(title);
  const texts = cities.slice(0, 1000).map(({ name, lat, lng }) => JSON.stringify({ name, lat, lng }));
  const encoder = new TextEncoder();
  const pool = new FixedPool({ blockSize: BYTES, blocks: UNDER_WAY });
  const pooled = {
    begin(text) {
      const at = pool.alloc(BYTES);
      return { at, length: encoder.encodeInto(text, pool.view(at, BYTES)).written };
    },
    read: ({ at, length }) => Buffer.from(pool.view(at, length)).toString(),
    end: ({ at }) => pool.free(at),
  };
  const fresh = {
    begin(text) {
      const buffer = Buffer.allocUnsafe(BYTES);
      return { buffer, length: encoder.encodeInto(text, buffer).written };
    },
    read: ({ buffer, length }) => buffer.toString('utf8', 0, length),
    end() {},
  };
  const [ours, plain] = [serve(texts, pooled), serve(texts, fresh)];
  const { usedBlocks, peakBytes } = pool.stats();
  checks.sameList('responses in buffers of a pool', ours.read, plain.read);
  checks.same('buffers that were not freed', usedBlocks, 0);
  checks.same('peak size of buffers', peakBytes, UNDER_WAY * BYTES);
  pool.close();
  answers([
    ['served', `${count(ANSWERS)} responses, ${UNDER_WAY} in flight at a time`],
    ['buffers', `${peakBytes / BYTES} from a pool, each used ${ANSWERS / UNDER_WAY} times`],
  ]);
  return [
    {
      label: `${count(ANSWERS)} responses in buffers of 16 KiB`,
      ours: ms(ours.ms),
      plain: ms(plain.ms),
      ratio: plain.ms / ours.ms,
    },
  ];
}

/**
 * Writes one response after another, and ends each when a hundred more have begun. One in fifty is
 * read back.
 */
function serve(texts, { begin, read, end }) {
  const underWay = [];
  const seen = [];
  const started = performance.now();
  for (let i = 0; i < ANSWERS + UNDER_WAY; i++) {
    const place = i % UNDER_WAY;
    if (i >= UNDER_WAY) {
      if (i % 50 === 0) seen.push(read(underWay[place]));
      end(underWay[place]);
    }
    if (i < ANSWERS) underWay[place] = begin(texts[i % texts.length]);
  }
  return { ms: performance.now() - started, read: seen };
}
