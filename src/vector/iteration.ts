/**
 * Iteration, as `Array` does it while the array changes: an iterator looks at the length anew at
 * each step, and once it is at the end it stays there.
 */

/** The element at an index from 0 on, or `undefined` past the end. */
export type Reader = (index: number) => unknown;

/** What an iterator yields. */
export const KEYS = 0;
export const VALUES = 1;
export const ENTRIES = 2;
export type Yield = typeof KEYS | typeof VALUES | typeof ENTRIES;

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

export class VectorIterator {
  private index = 0;

  constructor(
    /** Undefined at the end, which is final. */
    private source: Reader | undefined,
    private readonly what: Yield,
  ) {}

  next(): IteratorResult<unknown, undefined> {
    const { source, index } = this;
    if (source !== undefined) {
      const value = source(index);
      // No element is undefined.
      if (value !== undefined) {
        this.index = index + 1;
        if (this.what === VALUES) return { value, done: false };
        return { value: this.what === KEYS ? index : [index, value], done: false };
      }
      this.source = undefined;
    }
    return { value: undefined, done: true };
  }

  declare readonly [Symbol.toStringTag]: string;

  static {
    // As Array's iterators: what every built-in iterator can do (helpers such as `map` and `take`
    // where there are any).
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'Vector Iterator',
      configurable: true,
    });
  }
}
