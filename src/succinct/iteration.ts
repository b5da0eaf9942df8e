/** Iteration over structures that are read by index and do not change. */

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/** What is read by index. */
interface Indexed<T> {
  at(index: number): T | undefined;
}

/** From index 0 to the first one that has no element. */
export class IndexIterator<T> implements IterableIterator<T, undefined> {
  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
  }
  private position = 0;

  constructor(private source: Indexed<T> | undefined) {}

  next(): IteratorResult<T, undefined> {
    const value = this.source?.at(this.position++);
    if (value !== undefined) return { done: false, value };
    this.source = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
