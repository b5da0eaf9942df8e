/**
 * `offheap inspect` for the snapshot of a SharedMap (`docs/formats/sharedmap.md`, "Snapshots"). It
 * is a stream and not a region: it has a header of its own, records, and a checksum at its end.
 */
import type { FileHandle } from 'node:fs/promises';
import { native } from '../native.js';
import type { Contents } from '../region/contents.js';
import { corrupt, readLong } from '../region/format.js';

/** The first bytes of a snapshot. */
export const SNAPSHOT_MAGIC = 'OFHSNAP1';
const HEADER = 40;
/** A word of ones, the number of entries, and the checksum. */
const END = 16;
const BLOCK = 8 * 2 ** 20;

export interface SnapshotFile {
  checksum: 'correct' | 'wrong';
  contents: Contents;
}

/** Reads the header and the end, and computes the checksum of everything before it. */
export async function readSnapshot(file: FileHandle, length: number, path: string): Promise<SnapshotFile> {
  if (length < HEADER + END) throw corrupt(path, 'a snapshot without an end');
  const { schemaContents } = await import('../sharedmap/contents.js');
  const header = new Int32Array(HEADER / 4);
  const end = new Uint8Array(END);
  await file.read(new Uint8Array(header.buffer), 0, HEADER, 0);
  await file.read(end, 0, END, length - END);
  const last = new DataView(end.buffer);
  const ttl = new Float64Array(header.slice(6, 8).buffer)[0];
  let crc = 0;
  const block = new Uint8Array(Math.min(BLOCK, length));
  for (let at = 0; at < length - 4;) {
    const { bytesRead } = await file.read(block, 0, Math.min(block.length, length - 4 - at), at);
    if (bytesRead === 0) break;
    crc = native().crc32c(block.subarray(0, bytesRead), crc);
    at += bytesRead;
  }
  // Without its end, the last bytes are those of an entry.
  const hasEnd = last.getUint32(0, true) === 2 ** 32 - 1;
  return {
    checksum: hasEnd && crc === last.getUint32(12, true) ? 'correct' : 'wrong',
    contents: {
      ...schemaContents(header[2], path),
      ttl: ttl === 0 ? 'none' : ttl,
      maxBytes: readLong(header, 4),
      entries: hasEnd ? Number(last.getBigUint64(4, true)) : 'unknown: the file has no end',
    },
  };
}
