/**
 * Room for results whose length is known only afterwards. Native code writes them here, and they are copied to an array of
 * their own: cheaper than a second call, or an array that is too long.
 */
import { allocating } from '../errors.js';

/** What is kept from call to call. */
const KEPT = 64 * 1024;
let scratch = new Uint8Array(0);

/** Room of at least `length` bytes; kept, unless it is large. */
export function room(length: number): Uint8Array {
  if (length > KEPT) return allocating('the result', length, () => new Uint8Array(length));
  // At the first use, because a module does nothing when it is imported.
  if (scratch.length === 0) scratch = new Uint8Array(KEPT);
  return scratch;
}

/** The result of a call that needs this much room and says how much it wrote. */
export function withRoom(length: number, write: (out: Uint8Array) => number): Uint8Array {
  const out = room(length);
  const written = write(out);
  return written * 2 > out.length ? out.subarray(0, written) : out.slice(0, written);
}

/**
 * The result of a call that says how much it wrote, or -1 for too little room: it is given more and more, up to `most`, then
 * `undefined`.
 */
export function intoScratch(most: number, write: (out: Uint8Array) => number): Uint8Array | undefined {
  for (let length = KEPT; ; length *= 8) {
    const size = Math.min(length, most);
    const out = room(size);
    const written = write(out.length === size ? out : out.subarray(0, size));
    if (written >= 0)
      return out === scratch || written * 2 < out.length ? out.slice(0, written) : out.subarray(0, written);
    if (length >= most) return undefined;
  }
}
