/**
 * What a typed array really is: a subclass can say anything about its length, and run code while it
 * is asked; an object that only inherits from one throws at each question; and one whose buffer was
 * detached has nothing left.
 */
import type { AnyTypedArray } from './element-types.js';

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

export function trueBuffer(items: AnyTypedArray): ArrayBufferLike {
  return buffer.call(items);
}

export function trueOffset(items: AnyTypedArray): number {
  return byteOffset.call(items);
}

/** How many elements there are: 0 where the buffer was detached. */
export function trueLength(items: AnyTypedArray): number {
  return length.call(items);
}

/** `Float64Array`, say; `undefined` for what is no typed array. */
export function trueName(items: unknown): string | undefined {
  return name.call(items);
}

/**
 * Whether a typed array has lost its memory: its buffer was detached, or shrank to where it ends
 * before the array.
 */
export function isDetached(items: AnyTypedArray): boolean {
  if (trueLength(items) !== 0) return false;
  try {
    values.call(items); // runs nothing, and refuses those
    return false;
  } catch {
    return true;
  }
}

/** Whether something inherits from typed arrays without being one. */
export function isFalseTypedArray(items: object): boolean {
  return items instanceof TypedArray && !ArrayBuffer.isView(items);
}
