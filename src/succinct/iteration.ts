/** Iteration over structures that are read by index and do not change. */
import { IteratorPrototype } from '../region/iteration.js';

/** A structure that is read by index. */
interface Indexed<T> {
  at(index: number): T | undefined;
}

/** Iterates from index 0 to the first index without an element. */
export class IndexIterator<T> implements IterableIterator<T, undefined> {
  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
  }
  #source: Indexed<T> | undefined;
  #position = 0;

  constructor(source: Indexed<T>) {
    this.#source = source;
  }

  next(): IteratorResult<T, undefined> {
    const value = this.#source?.at(this.#position++);
    if (value !== undefined) return { done: false, value };
    this.#source = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** A structure that unpacks a part of itself. */
interface Sliced<T> {
  readonly length: number;
  slice(start: number, end: number): ArrayLike<T>;
}

/**
 * Iterates from index 0 to the end and unpacks a chunk at a time. The first chunks are short,
 * because many loops end early.
 */
export class ChunkIterator<T> implements IterableIterator<T, undefined> {
  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
  }
  #source: Sliced<T> | undefined;
  #position = 0;
  #chunk: ArrayLike<T> = [];
  #at = 0;

  constructor(source: Sliced<T>) {
    this.#source = source;
  }

  next(): IteratorResult<T, undefined> {
    const source = this.#source;
    const position = this.#position;
    // Reading the length throws if the structure has been closed.
    if (source === undefined || position >= source.length) {
      this.#source = undefined;
      return { done: true, value: undefined };
    }
    if (this.#at === this.#chunk.length) {
      this.#chunk = source.slice(position, position + Math.min(Math.max(position, 32), 1024));
      this.#at = 0;
    }
    this.#position = position + 1;
    return { done: false, value: this.#chunk[this.#at++] };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
