/**
 * Iteration with the semantics of `Array` when the array changes: an iterator compares with the
 * current length at each step, and once it has reached the end it stays there.
 */
import { IteratorPrototype, KEYS, VALUES, wrongReceiver, type IterationKind } from '../region/iteration.js';
import { setTag } from '../region/face.js';

/** Returns the element at an index from 0 on, or `undefined` past the end. */
export type ElementReader = (index: number) => unknown;

export class VectorIterator {
  private index = 0;

  constructor(
    /** Null once the end was reached. */
    private source: ElementReader | null,
    private readonly kind: IterationKind,
  ) {}

  next(): IteratorResult<unknown, undefined> {
    const { source, index } = this;
    if (source === undefined) throw wrongReceiver('Vector Iterator');
    if (source !== null) {
      const value = source(index);
      // Elements are never undefined.
      if (value !== undefined) {
        this.index = index + 1;
        if (this.kind === VALUES) return { value, done: false };
        return { value: this.kind === KEYS ? index : [index, value], done: false };
      }
      this.source = null;
    }
    return { value: undefined, done: true };
  }

  declare readonly [Symbol.toStringTag]: string;

  static {
    // As for the iterators of Array, whose helpers (`map`, `take`) these inherit where there are
    // any.
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    setTag(this.prototype, 'Vector Iterator');
  }
}
