/**
 * Regions as bytes and as files: snapshots with a checksum, atomic saving, opening by mapping.
 * See `docs/formats/region.md`, "Files".
 *
 * Cost: a snapshot copies the region once; saving writes it in blocks off the main thread and
 * syncs; opening maps the file and reads one page of it.
 */
import { open as openFile, readlink, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { TextDecoder } from 'node:util';
import { isNativeError, isUint8Array } from 'node:util/types';
import { messageOf, offheapError, systemError, typeError, type OffheapError } from '../errors.js';
import { native } from '../native.js';
import { FLAG_CHECKSUM, HEADER_BYTES, HEADER_WORDS, WORD } from './format.js';
import { booleanOption, choiceOption, describe, readOptions } from './options.js';
import { readWorkOptions, type Progress } from './progress.js';
import { Region, type FileIdentity } from './region.js';
import { refuseDetached } from './typed-array.js';

export interface SaveOptions {
  /** Aborts the save: the promise rejects with the signal's reason; the target is unchanged. */
  signal?: AbortSignal;
  /** Called after each block of 8 MiB. An error that it throws aborts the save. */
  onProgress?: (progress: Progress) => void;
  /** Default true: store a CRC-32C, which `validate()` and `offheap inspect` check. */
  checksum?: boolean;
}

export interface OpenOptions {
  /**
   * `'r'`, the default: read only. `'rw'`: can be changed; the first change copies the region to
   * memory, and the file is not changed until `save`.
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
 * Writes a snapshot to `path` atomically. Rejects with `ERR_OFFHEAP_IO` or the signal's reason.
 */
export async function writeRegionFile(
  bytes: Uint8Array,
  path: string,
  signal: AbortSignal | undefined,
  onProgress: SaveOptions['onProgress'],
): Promise<void> {
  await replaceFile(path, signal, async (file) => {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, at, Math.min(BLOCK, bytes.length - at), at);
      at += bytesWritten;
      signal?.throwIfAborted();
      if (onProgress !== undefined) onProgress({ done: at, total: bytes.length });
      signal?.throwIfAborted();
    }
  });
}

/**
 * Replaces the file at `path` atomically by one that `write` fills: it is called with a new file
 * and its path. If it rejects, nothing changes. Rejects with `ERR_OFFHEAP_IO` or the signal's
 * reason.
 */
export async function replaceFile(
  path: string,
  signal: AbortSignal | undefined,
  write: (file: FileHandle, temporary: string) => Promise<void>,
): Promise<void> {
  signal?.throwIfAborted();
  let temporary = '';
  let created = false;
  try {
    // `resolve` removes a separator at the end, which only a directory may have.
    if (/[/\\]$/.test(path) && (path.endsWith('/') || process.platform === 'win32')) await stat(path);
    const target = await followLinks(resolve(path));
    const folder = dirname(target);
    // Independent of the target's name, which may already have the maximum of 255 bytes.
    temporary = join(folder, `.offheap-${randomBytes(8).toString('hex')}.tmp`);
    // A rename replaces anything but a directory, including a device or a pipe.
    const there = await stat(target).catch(() => undefined);
    if (there !== undefined && !there.isFile()) {
      const message = `saving ${path} failed: it exists and is not a regular file`;
      const cause = there.isDirectory() ? directoryError(target) : undefined;
      throw offheapError('ERR_OFFHEAP_IO', message, cause === undefined ? undefined : { cause });
    }
    signal?.throwIfAborted();
    const file = await openFile(temporary, 'wx', 0o666);
    created = true;
    try {
      // The new file has the permissions of the old one.
      if (there !== undefined) await file.chmod(there.mode & 0o7777);
      await write(file, temporary);
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
 * Resolves symbolic links: a rename would replace the link instead of its target, which need not
 * exist yet.
 */
async function followLinks(path: string): Promise<string> {
  for (let links = 0; links < 40; links++) {
    try {
      path = resolve(dirname(path), await readlink(path));
    } catch {
      return path; // not a link; if it cannot be reached, the next operation on it fails
    }
  }
  throw offheapError('ERR_OFFHEAP_IO', `saving failed: too many symbolic links at ${path}`);
}

/**
 * Makes the rename itself survive a power failure. Windows cannot open a folder; there this is left
 * to the system.
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

/**
 * A path as a string. As in `node:fs`, it may be a string, a `file:` URL, or the bytes of a string
 * in UTF-8.
 */
export function checkPath(path: unknown): string {
  if (isUint8Array(path)) path = decodePath(path);
  else if (isUrl(path)) path = pathOfUrl(path);
  if (typeof path !== 'string') {
    throw typeError(`a path must be a string, a file: URL or a Buffer, not ${describe(path)}`);
  }
  if (path.length === 0 || path.includes('\0')) throw typeError('a path must not be empty or contain NUL');
  return path;
}

/** A URL of any realm. */
function isUrl(path: unknown): path is URL {
  if (typeof path !== 'object' || path === null) return false;
  const { href, protocol } = path as { href?: unknown; protocol?: unknown };
  return typeof href === 'string' && typeof protocol === 'string';
}

function pathOfUrl(url: URL): string {
  try {
    return fileURLToPath(url.href);
  } catch (cause) {
    throw typeError(`a path must be a file: URL with an absolute path, not ${describe(url.href)}`, { cause });
  }
}

function decodePath(bytes: Uint8Array): string {
  refuseDetached(bytes, 'a path');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw typeError('a path in a Buffer must be UTF-8', { cause });
  }
}

/**
 * The error of native code for a path that is not a regular file, with the `cause` that the system
 * has for a directory. Opening one for reading succeeds, so the system reports none.
 */
export function withDirectoryCause(error: unknown, path: string): unknown {
  const { code, message, cause } = error as { code?: unknown; message: string; cause?: unknown };
  if (code !== 'ERR_OFFHEAP_IO' || cause !== undefined) return error;
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? offheapError(code, message, { cause: directoryError(path) }) : error;
}

function directoryError(path: string): Error | undefined {
  return systemError(-constants.errno.EISDIR, 'open', path);
}

/** Maps a file, without looking at its contents. */
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
    throw offheapError('ERR_OFFHEAP_STALE', `${path} was replaced after it was shared`);
  }
  const { buffer, status } = mapFile(target);
  if (buffer.byteLength < HEADER_BYTES) {
    native().fileUnmap(buffer);
    throw offheapError(
      'ERR_OFFHEAP_CORRUPT',
      `${path} is corrupt: ${buffer.byteLength} bytes are too few for a region`,
    );
  }
  return Region.mapped(buffer, status, identity);
}

function mapFile(path: string): ReturnType<ReturnType<typeof native>['fileMap']> {
  try {
    return native().fileMap(path, false);
  } catch (error) {
    throw withDirectoryCause(error, path);
  }
}

function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return isNativeError(error) && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

export function ioError(what: string, cause: unknown): OffheapError {
  return offheapError('ERR_OFFHEAP_IO', `${what}: ${messageOf(cause)}`, { cause });
}
