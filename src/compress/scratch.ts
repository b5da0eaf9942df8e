/**
 * Room for results whose length is known only afterwards.
 *
 * A small result is written straight into a pool that many share, as Node's Buffers do, and is a
 * view of its part: an array with memory of its own costs over a microsecond, more than
 * decompressing a record. What does not fit there is written to a scratch array that is kept, and
 * copied to an array of its own.
 */
import { markAsUntransferable } from 'node:worker_threads';
import { allocating } from '../errors.js';

/** What is kept from call to call. */
const KEPT = 64 * 1024;
let scratch = new Uint8Array(0);

/** Bytes of a pool. It lives as long as one of the results in it. */
const POOL = 16 * 1024;
/** Results of at most so many bytes belong into a pool. */
const POOLED = POOL / 4;
/**
 * A pool with less room than this is not asked: small results take less, and native code wants some
 * room behind them.
 */
const LEAST = 512;
let pool = new Uint8Array(0);
let used = 0;

/**
 * Writes a result into the pool, at the place that `write` is given, and returns a view of it;
 * `undefined` where that says, with -1, that it does not fit.
 */
export function pooled(write: (out: Uint8Array, at: number) => number): Uint8Array | undefined {
  // One that somebody detached has no room either.
  if (pool.length - used < LEAST) renew();
  const at = used;
  const written = write(pool, at);
  if (written < 0) return undefined;
  // Each result begins at a multiple of eight, so that other typed arrays can be laid over it.
  used = at + ((written + 7) & ~7);
  return new Uint8Array(pool.buffer, at, written);
}

function renew(): void {
  pool = allocating('the result', POOL, () => new Uint8Array(POOL));
  used = 0;
  // Who posts a result to another thread gets a copy there; moving the pool would take it from
  // under the others.
  markAsUntransferable(pool.buffer);
}

/**
 * A result that the pool had no room for, out of the scratch array. The next like it will fit, if
 * it is small.
 */
function copied(out: Uint8Array, written: number): Uint8Array {
  if (written <= POOLED) used = POOL;
  return out.slice(0, written);
}

/** Room of at least `length` bytes; kept, unless it is large. */
export function room(length: number): Uint8Array {
  if (length > KEPT) return allocating('the result', length, () => new Uint8Array(length));
  // At the first use, because a module does nothing when it is imported.
  if (scratch.length === 0) scratch = new Uint8Array(KEPT);
  return scratch;
}

/** The result of a call that needs this much room and says how much it wrote, or -1. */
export function withRoom(length: number, write: (out: Uint8Array, at: number) => number): Uint8Array {
  const found = length <= POOLED ? pooled(write) : undefined;
  if (found !== undefined) return found;
  const out = room(length);
  const written = write(out, 0);
  return own(out, written);
}

/** A result as an array that nothing else will be written to. */
function own(out: Uint8Array, written: number): Uint8Array {
  return out === scratch || written * 2 < out.length ? copied(out, written) : out.subarray(0, written);
}

/**
 * The result of a call that says how much it wrote, or -1 for too little room: it is given more and
 * more, up to `most`, then `undefined`.
 */
export function growing(
  most: number,
  write: (out: Uint8Array, at: number) => number,
): Uint8Array | undefined {
  const found = pooled(write);
  if (found !== undefined) return found.length <= most ? found : undefined;
  for (let length = KEPT; ; length *= 8) {
    const size = Math.min(length, most);
    const out = room(size);
    const written = write(out.length === size ? out : out.subarray(0, size), 0);
    if (written >= 0) return own(out, written);
    if (length >= most) return undefined;
  }
}
