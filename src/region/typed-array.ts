/**
 * Typed arrays, and their intrinsic properties. A subclass can override `length` and run code when
 * it is asked; an object that only inherits from a typed array throws at each question; and an
 * array whose buffer was detached has no elements left.
 */
import { typeError } from '../errors.js';
import type { AnyTypedArray } from './element-types.js';

export type { AnyTypedArray, TypedArrayConstructor } from './element-types.js';

const TypedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object } & (new () => AnyTypedArray);

function getter<T>(key: string | symbol): (this: unknown) => T {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- bound by each call
  return Object.getOwnPropertyDescriptor(TypedArray.prototype, key)!.get as (this: unknown) => T;
}
const buffer = getter<ArrayBufferLike>('buffer');
const byteOffset = getter<number>('byteOffset');
const length = getter<number>('length');
const name = getter<string | undefined>(Symbol.toStringTag);
const { values } = TypedArray.prototype as { values: (this: unknown) => unknown };

export function intrinsicBuffer(items: AnyTypedArray): ArrayBufferLike {
  return buffer.call(items);
}

export function intrinsicOffset(items: AnyTypedArray): number {
  return byteOffset.call(items);
}

/** The number of elements: 0 if the buffer was detached. */
export function intrinsicLength(items: AnyTypedArray): number {
  return length.call(items);
}

/** The name of the array type, `Float64Array` for example; `undefined` for other objects. */
export function intrinsicName(items: unknown): string | undefined {
  return name.call(items);
}

/**
 * Whether a typed array has lost its memory: its buffer was detached, or shrank so that it ends
 * before the array.
 */
export function isDetached(items: AnyTypedArray): boolean {
  if (intrinsicLength(items) !== 0) return false;
  try {
    values.call(items); // runs no user code, and throws for arrays without memory
    return false;
  } catch {
    return true;
  }
}

/** Throws `ERR_OFFHEAP_TYPE` for a typed array that has lost its memory. */
export function refuseDetached(items: AnyTypedArray, what: string): void {
  if (isDetached(items)) throw typeError(`${what}: the buffer of this typed array was detached`);
}

/** Whether an object inherits from typed arrays without being one. */
export function isForgedTypedArray(items: object): boolean {
  return items instanceof TypedArray && !ArrayBuffer.isView(items);
}
