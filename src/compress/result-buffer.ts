/**
 * Buffers for results whose length is known only after they were written.
 *
 * A small result is written directly into a pool that many results share, as with Node's Buffers,
 * and is a view of its part: an array with its own memory costs over a microsecond, more than
 * decompressing a record. A larger result is written to a reusable scratch array and copied from
 * there.
 */
import { markAsUntransferable } from 'node:worker_threads';
import { allocating } from '../errors.js';

/** The size of the scratch array, which is kept from call to call. */
const SCRATCH = 64 * 1024;
let scratch = new Uint8Array(0);

/** The size of a pool. It lives as long as one of the results in it. */
const POOL = 16 * 1024;
/** The maximum size of a result in the pool. */
const MAX_POOLED = POOL / 4;
/**
 * A pool with less room than this is replaced: small results need less, and native code wants some
 * room after them.
 */
const MIN_ROOM = 512;
let pool = new Uint8Array(0);
let used = 0;

/**
 * Writes a result into the pool, at the offset that `write` receives, and returns a view of it;
 * `undefined` if `write` returns -1 because the result does not fit.
 */
export function pooled(write: (out: Uint8Array, at: number) => number): Uint8Array | undefined {
  // A detached pool has no room either.
  if (pool.length - used < MIN_ROOM) renew();
  const at = used;
  const written = write(pool, at);
  if (written < 0) return undefined;
  // Each result begins at a multiple of eight, so that any typed array can view it.
  used = at + ((written + 7) & ~7);
  return new Uint8Array(pool.buffer, at, written);
}

function renew(): void {
  pool = allocating('the result', POOL, () => new Uint8Array(POOL));
  used = 0;
  // Posting a result to another thread copies it. Transferring the pool would detach all others.
  markAsUntransferable(pool.buffer);
}

/**
 * Copies a result out of the scratch array. If it is small, the pool is marked as full, so that the
 * next such result fits into a new one.
 */
function copied(out: Uint8Array, written: number): Uint8Array {
  if (written <= MAX_POOLED) used = POOL;
  return out.slice(0, written);
}

/** A buffer of at least `length` bytes: the scratch array, unless that is too small. */
export function room(length: number): Uint8Array {
  if (length > SCRATCH) return allocating('the result', length, () => new Uint8Array(length));
  // At the first use, because a module does nothing when it is imported.
  if (scratch.length === 0) scratch = new Uint8Array(SCRATCH);
  return scratch;
}

/** The result of a call that needs at most `length` bytes and returns the number written, or -1. */
export function withRoom(length: number, write: (out: Uint8Array, at: number) => number): Uint8Array {
  const found = length <= MAX_POOLED ? pooled(write) : undefined;
  if (found !== undefined) return found;
  const out = room(length);
  const written = write(out, 0);
  return own(out, written);
}

/** A result as an array that no later result overwrites. */
function own(out: Uint8Array, written: number): Uint8Array {
  return out === scratch || written * 2 < out.length ? copied(out, written) : out.subarray(0, written);
}

/**
 * The result of a call that returns the number of bytes written, or -1 for too little room. Retries
 * with larger buffers up to `most` bytes; `undefined` if even that is too little.
 */
export function growing(
  most: number,
  write: (out: Uint8Array, at: number) => number,
): Uint8Array | undefined {
  const found = pooled(write);
  if (found !== undefined) return found.length <= most ? found : undefined;
  for (let length = SCRATCH; ; length *= 8) {
    const size = Math.min(length, most);
    const out = room(size);
    const written = write(out.length === size ? out : out.subarray(0, size), 0);
    if (written >= 0) return own(out, written);
    if (length >= most) return undefined;
  }
}
