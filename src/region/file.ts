/**
 * Regions as bytes and as files: snapshots with a checksum, atomic saving, opening by mapping.
 * See `docs/formats/region.md`, "Files".
 *
 * Cost: a snapshot copies the region once; saving writes it in blocks off the main thread and
 * syncs; opening maps the file and reads one page of it.
 */
import { open as openFile, readlink, rename, stat, unlink } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { offheapError, typeError, type OffheapError } from '../errors.js';
import { native } from '../native.js';
import { FLAG_CHECKSUM, HEADER_BYTES, HEADER_WORDS, WORD } from './format.js';
import { booleanOption, choiceOption, describe, readOptions } from './options.js';
import { readWorkOptions, type Progress } from './progress.js';
import { Region, type FileIdentity } from './region.js';

export interface SaveOptions {
  /** Aborts the save: the promise rejects with the signal's reason, and the target is as it was. */
  signal?: AbortSignal;
  /** Called after each block of 8 MiB. An error that it throws aborts the save. */
  onProgress?: (progress: Progress) => void;
  /** Default true: store a CRC-32C, which `validate()` and `offheap inspect` check. */
  checksum?: boolean;
}

export interface OpenOptions {
  /**
   * `'r'`, the default: read only. `'rw'`: may be changed; the first change copies the region to
   * memory, and the file stays as it is until `save`.
   */
  mode?: 'r' | 'rw';
}

const BLOCK = 8 * 2 ** 20;

/** Prepares a copied region for saving, without a checksum: sequence 0, no flags. */
export function clearChecksum(bytes: Uint8Array): void {
  const head = new Int32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
  head[WORD.sequence] = 0;
  head[WORD.flags] = 0;
  head[WORD.checksum] = 0;
}

/** Prepares a copied region for saving, with a checksum, which costs about 0.1 ns a byte. */
export function writeChecksum(bytes: Uint8Array): void {
  const head = new Int32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
  head[WORD.sequence] = 0;
  head[WORD.flags] = FLAG_CHECKSUM;
  head[WORD.checksum] = native().regionChecksum(bytes);
}

/**
 * Whether the bytes match the checksum in their header, or have none, whatever else is wrong with
 * them.
 */
export function checksumMatches(bytes: Uint8Array): boolean {
  const head = new Int32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
  if ((head[WORD.flags] & FLAG_CHECKSUM) === 0) return true;
  try {
    return native().regionChecksum(bytes) === head[WORD.checksum] >>> 0;
  } catch {
    return false; // not a header that has a checksum
  }
}

export function readSaveOptions(options: unknown): {
  signal: AbortSignal | undefined;
  onProgress: SaveOptions['onProgress'];
  checksum: boolean;
} {
  const read = readOptions(options, ['signal', 'onProgress', 'checksum'], 'save');
  return { ...readWorkOptions(read), checksum: booleanOption(read, 'checksum', true) };
}

/**
 * Writes sealed bytes to `path`, whole or not at all. Rejects with `ERR_OFFHEAP_IO` or the signal's
 * reason.
 */
export async function writeRegionFile(
  bytes: Uint8Array,
  path: string,
  signal: AbortSignal | undefined,
  onProgress: SaveOptions['onProgress'],
): Promise<void> {
  signal?.throwIfAborted();
  let temporary = '';
  let created = false;
  try {
    const target = await followLinks(resolve(path));
    const folder = dirname(target);
    // Of a length of its own: a name may have 255 bytes, and the target's may have them all.
    temporary = join(folder, `.offheap-${randomBytes(8).toString('hex')}.tmp`);
    // A rename puts a file in the place of anything but a directory: of a device or a pipe as well.
    const there = await stat(target).catch(() => undefined);
    if (there !== undefined && !there.isFile()) {
      throw offheapError('ERR_OFFHEAP_IO', `saving ${path} failed: it is there, and not a regular file`);
    }
    signal?.throwIfAborted();
    const file = await openFile(temporary, 'wx', 0o666);
    created = true;
    try {
      // Who may read the old file may read the new one, and nobody else.
      if (there !== undefined) await file.chmod(there.mode & 0o7777);
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, at, Math.min(BLOCK, bytes.length - at), at);
        at += bytesWritten;
        signal?.throwIfAborted();
        if (onProgress !== undefined) onProgress({ done: at, total: bytes.length });
        signal?.throwIfAborted();
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    created = false;
    await syncFolder(folder);
  } catch (error) {
    if (created) await unlink(temporary).catch(() => undefined);
    throw isSystemError(error) ? ioError(`saving ${path} failed`, error) : error;
  }
}

/**
 * Where a path leads: a rename would replace a link, not what it leads to, which need not be there
 * yet.
 */
async function followLinks(path: string): Promise<string> {
  for (let links = 0; links < 40; links++) {
    try {
      path = resolve(dirname(path), await readlink(path));
    } catch {
      return path; // no link; if it can not be reached, whoever uses it will be told
    }
  }
  throw offheapError('ERR_OFFHEAP_IO', `saving failed: too many symbolic links at ${path}`);
}

/**
 * The rename itself must survive a power failure. Some systems can not open a folder; there it is
 * left to them.
 */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await openFile(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function readOpenOptions(options: unknown): 'r' | 'rw' {
  const read = readOptions(options, ['mode'], 'open');
  return read.mode === undefined ? 'r' : choiceOption(read, 'mode', ['r', 'rw']);
}

export function checkPath(path: unknown): string {
  if (typeof path !== 'string') throw typeError(`a path must be a string, not ${describe(path)}`);
  if (path.length === 0 || path.includes('\0')) throw typeError('a path must not be empty or contain NUL');
  return path;
}

/** Maps a file. What it holds is not looked at yet. */
export function mapRegion(path: string, mode: 'r' | 'rw', expected?: FileIdentity): Region {
  const target = resolve(path);
  let identity: FileIdentity;
  try {
    const { dev, ino, size, mtimeMs } = statSync(target);
    identity = { path: target, mode, dev, ino, size, mtimeMs };
  } catch (error) {
    throw ioError(`opening ${path} failed`, error);
  }
  if (expected !== undefined && !sameFile(identity, expected)) {
    throw offheapError(
      'ERR_OFFHEAP_STALE',
      `${path} is not the file any more that it was when it was shared`,
    );
  }
  const { buffer, status } = native().fileMap(target, false);
  if (buffer.byteLength < HEADER_BYTES) {
    native().fileUnmap(buffer);
    throw offheapError(
      'ERR_OFFHEAP_CORRUPT',
      `${path} is corrupt: ${buffer.byteLength} bytes are too few for a region`,
    );
  }
  return Region.mapped(buffer, status, identity);
}

function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

export function ioError(what: string, cause: unknown): OffheapError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return offheapError('ERR_OFFHEAP_IO', `${what}: ${why}`, { cause });
}
