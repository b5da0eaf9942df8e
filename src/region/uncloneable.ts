/**
 * Objects that structured cloning refuses. Without this, `structuredClone` and `postMessage` would
 * turn a structure into an empty object without an error; a structure travels as the token that
 * `share()` returns.
 *
 * Node 22.10 has `markAsUncloneable`. In earlier releases an instance is created by the constructor
 * of `WeakRef`, whose instances V8's serializer refuses. The prototype chain shows nothing of that,
 * and creation costs about 15 ns more.
 */
import threads from 'node:worker_threads';

/** Missing before Node 22.10, and in the types of Node 20. */
const { markAsUncloneable } = threads as { markAsUncloneable?: (object: object) => void };

const TARGET = {};

// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- a base class
class Marked {
  constructor() {
    markAsUncloneable!(this);
  }
}

class Weak extends WeakRef<object> {
  constructor() {
    super(TARGET);
  }
}
Object.setPrototypeOf(Weak.prototype, Object.prototype);

/** The base of classes whose instances cannot be cloned. */
export const Uncloneable: new () => object = markAsUncloneable === undefined ? Weak : Marked;
