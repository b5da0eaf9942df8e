/**
 * `offheap inspect <file>`: header, sizes, checksum and statistics of a saved structure. The file
 * is read once, in blocks, for its checksum. It is not mapped, so a file that changes at the same
 * time does no harm.
 */
import { open } from 'node:fs/promises';
import { offheapError } from '../errors.js';
import { native } from '../native.js';
import type { Contents, ReadContents } from '../region/contents.js';
import { ioError, isSystemError } from '../region/file.js';
import {
  FLAG_CHECKSUM,
  HEADER_BYTES,
  HEADER_WORDS,
  KINDS,
  MAGIC,
  readLong,
  WORD,
  type Kind,
} from '../region/format.js';
import { readSnapshot, SNAPSHOT_MAGIC } from './inspect-snapshot.js';
import { MODULES } from './kinds.js';

export interface Inspection {
  path: string;
  kind: string;
  formatVersion: number;
  kindVersion: number;
  /** Bytes of the file. */
  fileLength: number;
  /** Bytes of the region, by its header. */
  length: number;
  checksum: 'correct' | 'wrong' | 'absent';
  /** Counts of the structure, and sizes in bytes. */
  contents: Contents;
}

const BLOCK = 8 * 2 ** 20;

/**
 * The function that reads a kind's contents from its header: each module has a `contents.ts`, which
 * exports one under the name of each of its kinds. Only the module that is needed is loaded.
 */
async function readerOf(kind: Kind): Promise<ReadContents> {
  const path = `../${MODULES[kind]}/contents.js`;
  return ((await import(path)) as Record<Kind, ReadContents>)[kind];
}

/**
 * Throws `ERR_OFFHEAP_IO` for a file that cannot be read, and `ERR_OFFHEAP_CORRUPT` or `_VERSION`
 * for one that is not a region.
 */
export async function inspectFile(path: string): Promise<Inspection> {
  const file = await open(path).catch((error: unknown) => {
    throw ioError(`reading ${path} failed`, error);
  });
  try {
    const { size: fileLength } = await file.stat();
    const words = new Int32Array(HEADER_WORDS);
    const header = new Uint8Array(words.buffer);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    if (Buffer.from(words.buffer).toString('latin1', 0, 8) === SNAPSHOT_MAGIC) {
      const snapshot = await readSnapshot(file, fileLength, path);
      return {
        path,
        kind: 'sharedmap snapshot',
        formatVersion: 1,
        kindVersion: 1,
        fileLength,
        length: fileLength,
        ...snapshot,
      };
    }
    if (bytesRead < HEADER_BYTES || words[WORD.magic] !== MAGIC) {
      throw offheapError(
        'ERR_OFFHEAP_CORRUPT',
        `${path} is not an offheap file: it does not begin with OFHP`,
      );
    }
    const kind = Object.entries(KINDS).find(([, { code }]) => code === words[WORD.kind])?.[0] as
      Kind | undefined;
    const length = readLong(words, WORD.lengthLow);
    const contents = kind === undefined ? {} : (await readerOf(kind))(words, fileLength, path);
    let checksum: Inspection['checksum'] = 'absent';
    if ((words[WORD.flags] & FLAG_CHECKSUM) !== 0) {
      const stored = words[WORD.checksum] >>> 0;
      words[WORD.sequence] = words[WORD.flags] = words[WORD.checksum] = 0;
      let crc = native().crc32c(header, 0);
      const block = new Uint8Array(Math.min(BLOCK, Math.max(64, length)));
      for (let at = HEADER_BYTES; at < length;) {
        const { bytesRead: count } = await file.read(block, 0, Math.min(block.length, length - at), at);
        if (count === 0) break;
        crc = native().crc32c(block.subarray(0, count), crc);
        at += count;
      }
      checksum = crc === stored ? 'correct' : 'wrong';
    }
    return {
      path,
      kind: kind ?? `unknown (${words[WORD.kind] >>> 0})`,
      formatVersion: words[WORD.version] >>> 0,
      kindVersion: words[WORD.kindVersion] >>> 0,
      fileLength,
      length,
      checksum,
      contents,
    };
  } catch (error) {
    if (isSystemError(error)) throw ioError(`reading ${path} failed`, error);
    throw error;
  } finally {
    await file.close();
  }
}
