/**
 * The description of a structure: everything that the kit needs in order to run its tests over it.
 * A description is plain JavaScript (`structures/*.mjs`), because the processes that read hostile
 * bytes load it next to the built package, without a compiler.
 */

/** One public method or property, and how to use it. */
export interface Operation {
  /** Runs it on a structure with the described contents. */
  run: (structure: any) => unknown;
  /** The operation changes the structure, so a reader refuses it. */
  writes?: boolean;
  /** The expected result, typed arrays as plain ones. */
  result?: unknown;
  /** The result depends on where the structure lives: it is not compared between states. */
  varies?: boolean;
}

export interface Description {
  /** The name of the class. */
  name: string;
  /** The kind in tokens and `offheap inspect`. */
  kind: string;
  Class: any;
  /** Makes a structure whose every section has contents. The same contents each time. */
  make: () => any;
  /** The contents in a form that `toEqual` compares. */
  contents: (structure: any) => unknown;
  /** Every public member except those that the kit tests itself ({@link OWN_TESTS}). */
  operations: Record<string, Operation>;
  /** The class is immutable: it has no operation that writes. */
  immutable?: boolean;
  /** Promises of operations that run in the background; each is rejected after `close()`. */
  background?: Record<string, (structure: any) => Promise<unknown>>;
  /** An iterator that is used after `close()`. */
  iterator?: (structure: any) => Iterator<unknown>;
  /**
   * More reads and writes of hostile contents: other keys, indices and ids than the operations use.
   * Each call goes through `attempt`, which allows an OffheapError only.
   */
  misuse?: (structure: any, attempt: (call: () => unknown) => unknown) => void;
  /** The hostile series to run in place of all: pairs of route and mutation. */
  series?: string[][];
  /** Runs the hostile series only: another description of the class has the other tests. */
  hostileOnly?: boolean;
  /** Golden files of this kind in test/golden, without the suffix. */
  golden: string[];
  /**
   * How many words at the start are metadata (header and tables): hostile series change each bit.
   */
  metadataWords: number;
}

/** Members that the kit tests itself, for every structure alike. */
export const OWN_TESTS: ReadonlySet<string> = new Set([
  'constructor',
  'close',
  'save',
  'toJSON',
  'Symbol(Symbol.dispose)',
  'Symbol(Symbol.toStringTag)',
  'Symbol(nodejs.util.inspect.custom)',
  // Polyfilled names of the same symbol.
  String(Symbol.dispose),
]);

/** A value with plain arrays in place of typed ones, so that `toEqual` compares elements. */
export function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return [...(value as Uint8Array)];
  return value;
}
