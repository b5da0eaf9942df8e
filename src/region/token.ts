/**
 * Tokens: what `share()` gives and `attach()` takes. A plain object that structured cloning carries
 * to another thread: the shared buffer itself, or, for a mapped file, which file it is. Nothing is
 * registered anywhere, and the engine's reference count keeps a shared buffer alive.
 */
import { isSharedArrayBuffer } from 'node:util/types';
import { typeError } from '../errors.js';
import { HEADER_BYTES, type Kind } from './format.js';
import { mapRegion } from './file.js';
import { describe } from './options.js';
import { Region, type FileIdentity } from './region.js';

/**
 * What `share()` gives: pass it through `postMessage` or `workerData` to the structure's `attach`.
 */
export interface Token<K extends string = string> {
  /** Which structure it is of. */
  readonly offheap: K;
  readonly buffer?: SharedArrayBuffer;
  readonly file?: Readonly<Record<keyof FileIdentity, string | number>>;
}

/** A token of a region, which is prepared for readers by this. */
export function shareRegion<K extends Kind>(region: Region, kind: K): Token<K> {
  if (region.file !== undefined) return { offheap: kind, file: { ...region.file } };
  if (region.origin === 'attached') return { offheap: kind, buffer: region.buffer as SharedArrayBuffer };
  return { offheap: kind, buffer: region.prepareToShare() };
}

/** The region that a token of another thread leads to; nothing of its contents is looked at. */
export function attachRegion(token: unknown, kind: Kind): Region {
  if (typeof token !== 'object' || token === null)
    throw typeError(`attach needs a token, not ${describe(token)}`);
  const { offheap, buffer, file } = token as { offheap?: unknown; buffer?: unknown; file?: unknown };
  if (offheap !== kind) {
    throw typeError(`attach needs the token of a ${kind}, not ${describe(offheap)}`);
  }
  if (buffer !== undefined) {
    if (!isSharedArrayBuffer(buffer)) throw typeError('the buffer of this token is not shared memory');
    if (buffer.byteLength < HEADER_BYTES)
      throw typeError('the buffer of this token is too small for a region');
    return Region.attached(buffer);
  }
  if (typeof file !== 'object' || file === null)
    throw typeError('this token names neither a buffer nor a file');
  const { path, dev, ino, size, mtimeMs } = file as Record<string, unknown>;
  if (typeof path !== 'string' || path.length === 0) throw typeError('this token names no file');
  for (const number of [dev, ino, size, mtimeMs]) {
    if (typeof number !== 'number') throw typeError('this token does not say which file it is of');
  }
  return mapRegion(path, 'r', file as FileIdentity);
}
