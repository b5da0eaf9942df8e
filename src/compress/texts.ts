/** Samples and records in the form that native code takes: contiguous bytes and end offsets. */
import { TextEncoder } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { allocating, typeError } from '../errors.js';
import { intrinsicLength, refuseDetached } from '../region/typed-array.js';
import { describe } from '../region/options.js';

/**
 * Data to be compressed: bytes, or a string, which is stored as UTF-8 (a lone surrogate as
 * U+FFFD).
 */
export type Text = Uint8Array | string;
/** Many of them, synchronously or as they arrive. */
export type Texts = Iterable<Text> | AsyncIterable<Text>;

const encoder = new TextEncoder();
const FIRST = 4096;

/** Collects texts in one contiguous buffer. */
export class Packer {
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST);
  private ends: Float64Array<ArrayBuffer> = new Float64Array(256);
  private used = 0;
  count = 0;

  /** Bytes of all texts so far. */
  get length(): number {
    return this.used;
  }

  push(text: unknown, what: string): void {
    if (this.count === this.ends.length) {
      const { ends } = this;
      this.ends = allocating('texts', ends.length * 16, () => new Float64Array(ends.length * 2));
      this.ends.set(ends);
    }
    if (typeof text === 'string') {
      // UTF-8 takes at most three bytes for each UTF-16 unit.
      this.reserve(text.length * 3);
      this.used += encoder.encodeInto(text, this.bytes.subarray(this.used)).written;
    } else if (isUint8Array(text)) {
      refuseDetached(text, what);
      const length = intrinsicLength(text);
      this.reserve(length);
      this.bytes.set(text, this.used);
      this.used += length;
    } else {
      throw typeError(`${what} are Uint8Arrays or strings, not ${describe(text)}`);
    }
    this.ends[this.count++] = this.used;
  }

  private reserve(more: number): void {
    const { bytes, used } = this;
    if (used + more <= bytes.length) return;
    const wanted = Math.max(used + more, bytes.length * 2);
    this.bytes = allocating('texts', wanted, () => new Uint8Array(wanted));
    this.bytes.set(bytes.subarray(0, used));
  }

  /** Keeps every second text. */
  halve(): void {
    let [from, to, kept] = [0, 0, 0];
    for (let i = 0; i < this.count; i++) {
      const end = this.ends[i];
      if (i % 2 === 0) {
        this.bytes.copyWithin(to, from, end);
        to += end - from;
        this.ends[kept++] = to;
      }
      from = end;
    }
    this.used = to;
    this.count = kept;
  }

  /** The texts so far, which the next push may overwrite. */
  packed(): { text: Uint8Array; ends: Float64Array } {
    return { text: this.bytes.subarray(0, this.used), ends: this.ends.subarray(0, this.count) };
  }

  clear(): void {
    this.used = 0;
    this.count = 0;
  }
}

/**
 * A sample that is spread evenly over all texts: at first every text, then, once there are too
 * many, every second one, and so on.
 */
export class Sampler {
  readonly packer = new Packer();
  private step = 1;
  private number = 0;

  /** Keeps at most `most` bytes, at least half as many if there are more, and at least one text. */
  constructor(private readonly most: number) {}

  push(text: unknown, what: string): void {
    if (this.number++ % this.step !== 0) return;
    const { packer } = this;
    packer.push(text, what);
    while (packer.length > this.most && packer.count > 1) {
      packer.halve();
      this.step *= 2;
    }
  }
}

/** Rejects anything that is not iterable, and strings, whose characters are never meant. */
export function checkTexts(texts: unknown, what: string): Texts {
  if (typeof texts === 'object' && texts !== null && !isUint8Array(texts)) {
    if (Symbol.asyncIterator in texts || Symbol.iterator in texts) return texts as Texts;
  }
  throw typeError(`${what} must be an iterable of Uint8Arrays or strings, not ${describe(texts)}`);
}

/**
 * The texts until the signal aborts. An abort ends the iteration at once, also while it waits for a
 * text that may never arrive.
 */
export function untilAborted(texts: Texts, signal: AbortSignal | undefined): Texts {
  if (signal === undefined || !(Symbol.asyncIterator in texts)) return texts;
  return { [Symbol.asyncIterator]: () => abortable(texts, signal) };
}

async function* abortable(texts: AsyncIterable<Text>, signal: AbortSignal): AsyncGenerator<Text> {
  const iterator = texts[Symbol.asyncIterator]();
  // Not `Promise.race` with one promise for the signal: each race would leave a reaction on it.
  let abort = (): void => undefined;
  const listener = (): void => abort();
  signal.addEventListener('abort', listener, { once: true });
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const answer = Promise.resolve(iterator.next());
      answer.catch(() => (ended = true));
      const next = await new Promise<IteratorResult<Text>>((resolve, reject) => {
        abort = () => reject(signal.reason as Error);
        answer.then(resolve, reject);
      });
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', listener);
    // An iterator that never answers is notified, but not waited for.
    if (!ended) void end(iterator).catch(() => undefined);
  }
}

async function end(iterator: AsyncIterator<Text>): Promise<void> {
  await iterator.return?.();
}
