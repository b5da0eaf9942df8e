/**
 * Errors: one class, one `code` for each kind of failure, the same name in every layer
 * (`ErrorKind::Corrupt` in Rust, `OH_ERR_CORRUPT` in C, `ERR_OFFHEAP_CORRUPT` here).
 *
 * Two kinds are what JavaScript's own built-ins throw as `TypeError` and `RangeError`, and code
 * that catches those must catch ours. A class has one parent, so these two extend the built-in
 * class, and `OffheapError` claims them through `Symbol.hasInstance`: all of
 *
 *     error instanceof TypeError, error instanceof OffheapError, error.code === 'ERR_OFFHEAP_TYPE'
 *
 * hold for a wrong type. The claim rests on a registered symbol, so that it also holds between two
 * copies of this package in one process.
 */
import { getSystemErrorMap } from 'node:util';
import { isNativeError } from 'node:util/types';

/**
 * What kind of failure an {@link OffheapError} is. These strings are stable; the messages are not.
 *
 * | code | when |
 * | --- | --- |
 * | `ERR_OFFHEAP_RANGE` | a number is outside the range that is allowed, or not an integer (also a `RangeError`) |
 * | `ERR_OFFHEAP_TYPE` | a value is of the wrong type, or an option is unknown (also a `TypeError`) |
 * | `ERR_OFFHEAP_CLOSED` | the structure was closed |
 * | `ERR_OFFHEAP_CORRUPT` | the bytes of a region or file contradict themselves |
 * | `ERR_OFFHEAP_VERSION` | the bytes are of a version, or a kind of structure, that this release cannot read |
 * | `ERR_OFFHEAP_FULL` | the structure cannot grow any further where it lives |
 * | `ERR_OFFHEAP_OOM` | memory was refused |
 * | `ERR_OFFHEAP_LOCKED` | another writer holds the file or structure |
 * | `ERR_OFFHEAP_IO` | the operating system refused a file operation (its error is the `cause`) |
 * | `ERR_OFFHEAP_STALE` | a handle, id or offset is of something that was since removed |
 * | `ERR_OFFHEAP_UNSUPPORTED` | not supported by this platform, runtime or schema |
 * | `ERR_OFFHEAP_NATIVE` | the addon could not be loaded, or a defect in it was caught |
 * | `ERR_OFFHEAP_CONFLICT` | others changed the same keys during every attempt |
 */
export type ErrorCode =
  | 'ERR_OFFHEAP_RANGE'
  | 'ERR_OFFHEAP_TYPE'
  | 'ERR_OFFHEAP_CLOSED'
  | 'ERR_OFFHEAP_CORRUPT'
  | 'ERR_OFFHEAP_VERSION'
  | 'ERR_OFFHEAP_FULL'
  | 'ERR_OFFHEAP_OOM'
  | 'ERR_OFFHEAP_LOCKED'
  | 'ERR_OFFHEAP_IO'
  | 'ERR_OFFHEAP_STALE'
  | 'ERR_OFFHEAP_UNSUPPORTED'
  | 'ERR_OFFHEAP_NATIVE'
  | 'ERR_OFFHEAP_CONFLICT';

/**
 * A property of the prototype of every error of this library. The symbol is registered, so that
 * copies of the package share it.
 */
const BRAND = Symbol.for('offheap.error');

/**
 * Sets the name and the brand on a prototype, where built-in errors have their names. They are not
 * enumerable, so that printing or cloning an error shows only its own properties.
 */
function brand(prototype: Error, name: string): void {
  Object.defineProperty(prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(prototype, BRAND, { value: true });
}

/**
 * Every error that offheap throws on purpose. `code` is its kind; `cause` is the underlying error,
 * if there is one, such as the operating system's.
 */
export class OffheapError extends Error {
  readonly code: ErrorCode;

  static {
    brand(this.prototype, 'OffheapError');
  }

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** `true` for every error of offheap, also those that extend `TypeError` or `RangeError`. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // Only this class accepts the other two; a class derived from it behaves as usual.
    if (this !== OffheapError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

class OffheapTypeError extends TypeError {
  readonly code = 'ERR_OFFHEAP_TYPE';
  static {
    brand(this.prototype, 'TypeError');
  }
}

class OffheapRangeError extends RangeError {
  readonly code = 'ERR_OFFHEAP_RANGE';
  static {
    brand(this.prototype, 'RangeError');
  }
}

/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment --
   Two of the three classes are OffheapErrors by brand, which `instanceof` respects (see above). */

/**
 * An error with this code, of the class that JavaScript has for it. Functions that throw call this,
 * which keeps them small.
 */
export function offheapError(code: ErrorCode, message: string, options?: ErrorOptions): OffheapError {
  switch (code) {
    case 'ERR_OFFHEAP_TYPE':
      return new OffheapTypeError(message, options);
    case 'ERR_OFFHEAP_RANGE':
      return new OffheapRangeError(message, options);
    default:
      return new OffheapError(code, message, options);
  }
}

/** `ERR_OFFHEAP_TYPE`: a wrong type, or an unknown option. Also a `TypeError`. */
export function typeError(message: string, options?: ErrorOptions): OffheapError {
  return offheapError('ERR_OFFHEAP_TYPE', message, options);
}

/**
 * `ERR_OFFHEAP_RANGE`: a number that is too small, too large, or not an integer. Also a
 * `RangeError`.
 */
export function rangeError(message: string, options?: ErrorOptions): OffheapError {
  return offheapError('ERR_OFFHEAP_RANGE', message, options);
}

/**
 * The message of anything that was thrown. Not by `instanceof`: in Jest and in the vm pools of
 * Vitest, the errors of Node itself are not instances of the `Error` that modules see.
 */
export function messageOf(thrown: unknown): string {
  return isNativeError(thrown) ? thrown.message : String(thrown);
}

/** The system calls by the verb with which messages of native code begin. */
const SYSCALLS: Readonly<Record<string, string>> = {
  open: 'open',
  create: 'open',
  map: 'mmap',
};

/**
 * An error as Node creates them for the operating system, with `code`, `errno` and, where they are
 * known, `syscall` and `path`; `undefined` for a number that Node does not know.
 */
export function systemError(
  errno: number,
  syscall?: string,
  path?: string,
): NodeJS.ErrnoException | undefined {
  const [code, description] = getSystemErrorMap().get(errno) ?? [];
  if (code === undefined) return undefined;
  const where = `${syscall === undefined ? '' : `, ${syscall}`}${path === undefined ? '' : ` '${path}'`}`;
  const error: NodeJS.ErrnoException = new Error(`${code}: ${description}${where}`);
  error.errno = errno;
  error.code = code;
  if (syscall !== undefined) error.syscall = syscall;
  if (path !== undefined) error.path = path;
  return error;
}

/**
 * The error for a status of native code. Its messages end with the number of the system's error,
 * if there was one, in the form of Rust's `std::io::Error`; that error becomes the `cause`.
 */
export function nativeError(code: ErrorCode, message: string): OffheapError {
  const number = / \(os error (\d+)\)/.exec(message)?.[1];
  // libuv's numbers are those of the system, negative, except on Windows.
  if (number === undefined || process.platform === 'win32') return offheapError(code, message);
  const [, verb, path] = /^cannot (\w+) (.*): [^:]* \(os error/.exec(message) ?? [];
  const syscall = verb === undefined ? undefined : SYSCALLS[verb];
  const cause = systemError(-Number(number), syscall, syscall === undefined ? undefined : path);
  return offheapError(code, message, cause === undefined ? undefined : { cause });
}

/** `ERR_OFFHEAP_OOM` for an object of this many bytes. `what` names it. */
export function outOfMemory(what: string, bytes: number, cause: unknown): OffheapError {
  return offheapError('ERR_OFFHEAP_OOM', `no memory for ${what} of ${bytes} bytes`, { cause });
}

/** Runs an allocation. A refusal is `ERR_OFFHEAP_OOM`, not the engine's `RangeError`. */
export function allocating<T>(what: string, bytes: number, allocate: () => T): T {
  try {
    return allocate();
  } catch (cause) {
    throw outOfMemory(what, bytes, cause);
  }
}
