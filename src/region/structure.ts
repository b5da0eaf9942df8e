/**
 * The public base class of structures that are stored in one region: sharing, saving and closing,
 * which are the same for all of them. The work is done by a {@link RegionTable}, whose file also
 * documents how to write a structure.
 *
 * The table is kept in a private field, so an instance has no enumerable properties with a string
 * key, can be frozen, and is printed and serialized like a `Map`. A subclass with a fast path keeps
 * the same table in a private field of its own: the type that V8 sees there is always the same,
 * whatever other structures a process uses.
 */
import type { PathLike } from 'node:fs';
import type { SaveOptions } from './file.js';
import type { Kind } from './format.js';
import type { RegionTable } from './table.js';
import type { Token } from './token.js';
import { Uncloneable } from './uncloneable.js';

/**
 * Deep equality, in Node and in test runners, compares own enumerable properties and nothing else,
 * so without one all structures of a class would be equal. This one has a symbol as its key, which
 * `Object.keys`, `for…in` and `JSON.stringify` skip, and is computed when it is read. Creating it
 * costs about 80 ns.
 */
const CONTENTS = Symbol('contents');
const contents: PropertyDescriptor & ThisType<Structure> = {
  enumerable: true,
  get(): unknown {
    const table = tableOf(this);
    const state = table.describeState();
    return state === 'open' ? table.contents() : state;
  },
};

let getTable: (structure: Structure) => RegionTable;

/** The table of a structure, for modules of this package. Throws a TypeError for anything else. */
export function tableOf(structure: Structure): RegionTable {
  return getTable(structure);
}

/**
 * The table of a structure, as the initializer of a private field of its class. An assignment in
 * the constructor would leave `undefined` as the first value of the field, and V8 would then check
 * the type of the table at each access, which costs up to a fifth of the cheapest fast paths.
 */
export function ownTable<T extends RegionTable>(structure: Structure): T {
  return getTable(structure) as T;
}

export abstract class Structure<K extends Kind = Kind> extends Uncloneable {
  readonly #table: RegionTable<K>;

  static {
    getTable = (structure) => structure.#table;
  }

  /** @internal */
  constructor(table: RegionTable<K>) {
    super();
    this.#table = table;
    Object.defineProperty(this, CONTENTS, contents);
  }

  /**
   * A token for other threads: post it, and `attach` it there. They read the same bytes while this
   * structure continues to change them; it is the only writer. The first call may copy the region
   * once, to memory in which it can grow.
   */
  share(): Token<K> {
    return this.#table.share();
  }

  /**
   * Saves to a file atomically: `path` has either its old contents or the complete new ones. Writes
   * a copy made at the call, which later changes do not affect. Rejects with `ERR_OFFHEAP_IO`, or
   * the signal's reason.
   */
  async save(path: PathLike, options?: SaveOptions): Promise<void> {
    await this.#table.save(path, options);
  }

  /** The region as bytes with a checksum, as `save` writes them. */
  toBytes(): Uint8Array {
    return this.#table.toBytes();
  }

  /** The number of bytes held outside the JavaScript heap. */
  get byteLength(): number {
    return this.#table.byteLength;
  }

  /** `{}`, as for a `Map`. */
  toJSON(): object {
    tableOf(this); // as every method, for a structure only
    return {};
  }

  /**
   * Releases the memory. Every later operation throws `ERR_OFFHEAP_CLOSED`, except `close()`
   * itself.
   */
  close(): void {
    this.#table.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
