/**
 * `offheap inspect <file>`: header, sizes, checksum and statistics of a saved structure. The file
 * is read once, in blocks, for its checksum; it is not mapped, so a file that changes meanwhile
 * does no harm.
 */
import { open } from 'node:fs/promises';
import { offheapError } from '../errors.js';
import { readDictionary, readFilter, readStore, readSuffixes } from '../compress/layout.js';
import { readShape, WORD as HASHMAP } from '../hashmap/layout.js';
import { readShape as readArena, WORD as SMALLMAP } from '../smallmap/layout.js';
import { native } from '../native.js';
import { GRANULE, WORD as BUMP } from '../pools/bump-layout.js';
import { GUARDS, WORD as FIXEDPOOL, ZERO_ON_FREE } from '../pools/fixed-layout.js';
import { readShape as readNumaPool, WORD as NUMAPOOL } from '../pools/numa-layout.js';
import { TYPE_NAMES } from '../region/element.js';
import { ioError } from '../region/file.js';
import { readShape as readBits } from '../succinct/bitvector/layout.js';
import { readLayout } from '../succinct/eliasfano/layout.js';
import { readShape as readPacked } from '../succinct/packedints/layout.js';
import { readShape as readRanked } from '../succinct/rankselect/layout.js';
import { readShape as readVector } from '../vector/layout.js';
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
  /** Of the structure: counts and sizes in bytes. */
  contents: Record<string, number | string>;
}

const BLOCK = 8 * 2 ** 20;

/**
 * Throws `ERR_OFFHEAP_IO` for a file that can not be read, `ERR_OFFHEAP_CORRUPT` or `_VERSION` for
 * one that is no region.
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
    if (bytesRead < HEADER_BYTES || words[WORD.magic] !== MAGIC) {
      throw offheapError('ERR_OFFHEAP_CORRUPT', `${path} is no offheap file: it does not begin with OFHP`);
    }
    const kind = Object.entries(KINDS).find(([, { code }]) => code === words[WORD.kind])?.[0];
    const length = readLong(words, WORD.lengthLow);
    const contents = kind === undefined ? {} : CONTENTS[kind as Kind](words, fileLength, path);
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
    if (error instanceof Error && 'syscall' in error) throw ioError(`reading ${path} failed`, error);
    throw error;
  } finally {
    await file.close();
  }
}

/**
 * What can be told of each kind from its header, which is checked in constant time; a vector's file
 * also has commits.
 */
const CONTENTS: Record<Kind, (words: Int32Array, available: number, path: string) => Inspection['contents']> =
  {
    hashmap,
    smallmap,
    vector,
    fixedpool,
    lockfreepool,
    bumparena,
    numapool,
    bitvector,
    rankselect,
    eliasfano,
    packedints,
    mmapvector,
    dictionary,
    recordstore,
    bloomfilter,
    suffixarray,
  };

function hashmap(words: Int32Array, available: number, path: string): Record<string, number | string> {
  const shape = readShape(words, available, path);
  const used = words[HASHMAP.used];
  const dead = words[HASHMAP.dead];
  return {
    key: TYPE_NAMES[shape.key]!,
    value: TYPE_NAMES[shape.value]!,
    entries: used - dead,
    deleted: dead,
    capacity: shape.capacity,
    buckets: shape.buckets,
    loadFactor: Number(((used - dead) / (shape.buckets * 12)).toFixed(3)),
    indexBytes: shape.layout.dead - shape.layout.index,
    keyBytes: shape.layout.values - shape.layout.keys,
    valueBytes: shape.layout.slotOfEntry - shape.layout.values,
    slotTableBytes: shape.layout.heap - shape.layout.slotOfEntry,
    heapBytes: shape.heapCapacity,
    heapUsed: readLong(words, HASHMAP.heapUsedLow),
    heapGarbage: readLong(words, HASHMAP.heapGarbageLow),
  };
}

function smallmap(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const shape = readArena(words, available, path);
  return {
    key: TYPE_NAMES[shape.key]!,
    value: TYPE_NAMES[shape.value]!,
    maps: words[SMALLMAP.maps],
    promoted: words[SMALLMAP.promoted],
    capacity: shape.maps,
    slotEntries: words[SMALLMAP.blocksUsed] * 8,
    slotCapacity: shape.blocks * 8,
    tableUsed: words[SMALLMAP.tableUsed] - words[SMALLMAP.tableFree],
    tableCapacity: shape.table,
    strings: words[SMALLMAP.strings],
    heapBytes: shape.heap,
    heapUsed: readLong(words, SMALLMAP.heapUsedLow),
  };
}

/** Pools are not saved by this library; a C program may have written one out. */
function fixedpool(words: Int32Array): Record<string, number | string> {
  return {
    classes: words[FIXEDPOOL.classes],
    smallestBlocks: words[FIXEDPOOL.units],
    used: words[FIXEDPOOL.used],
    peak: words[FIXEDPOOL.peak],
    failures: words[FIXEDPOOL.failures] >>> 0,
    zeroOnFree: String((words[FIXEDPOOL.options] & ZERO_ON_FREE) !== 0),
    guards: String((words[FIXEDPOOL.options] & GUARDS) !== 0),
  };
}

function lockfreepool(words: Int32Array): Record<string, number | string> {
  const [options, chunkShift, chunks, minShift, handles, failures] = words.subarray(16, 22);
  return {
    capacityBytes: chunks * 2 ** chunkShift,
    chunkBytes: 2 ** chunkShift,
    minBlockBytes: 2 ** minShift,
    handles,
    failures: failures >>> 0,
    zeroOnFree: String((options & ZERO_ON_FREE) !== 0),
    guards: String((options & GUARDS) !== 0),
  };
}

function bumparena(words: Int32Array): Record<string, number | string> {
  return {
    align: words[BUMP.align],
    usedBytes: words[BUMP.top] * GRANULE,
    peakBytes: Math.max(words[BUMP.peak], words[BUMP.top]) * GRANULE,
    blocks: words[BUMP.blocks] >>> 0,
    failures: words[BUMP.failures] >>> 0,
    resets: words[BUMP.resets] >>> 0,
    zeroOnFree: String((words[BUMP.options] & ZERO_ON_FREE) !== 0),
    guards: String((words[BUMP.options] & GUARDS) !== 0),
  };
}

function numapool(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { nodes, policy, capacity, largest, options } = readNumaPool(words, available, path);
  return {
    nodes,
    policy,
    bytesOnEach: capacity,
    largestBlock: largest,
    failures: words[NUMAPOOL.failures] >>> 0,
    zeroOnFree: String((options & ZERO_ON_FREE) !== 0),
    guards: String((options & GUARDS) !== 0),
  };
}

function bitvector(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { length, capacity } = readBits(words, available, path);
  return { length, capacity };
}

function rankselect(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { variant, length, ones, layout } = readRanked(words, available, path);
  return {
    variant,
    length,
    ones,
    bitBytes: layout.index - layout.bits,
    indexBytes: layout.samples[0] - layout.index,
    sampleBytes: layout.length - layout.samples[0],
    overhead: length === 0 ? 0 : Number(((layout.length * 8 - length) / length).toFixed(5)),
  };
}

function packedints(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { length, bits, bigint } = readPacked(words, available, path);
  return { length, bitsPerValue: bits, values: bigint ? 'bigint' : 'number' };
}

function eliasfano(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { length, max, lowBits, bytes } = readLayout(words, available, path);
  const bitsPerValue = length === 0 ? 0 : Number(((bytes * 8) / length).toFixed(3));
  return { length, max, lowBits, bitsPerValue };
}

function vector(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { type, count, capacity } = readVector(words, available, path);
  return { type: TYPE_NAMES[type]!, length: count, capacity };
}

/**
 * The header of such a file says the type alone; how much of it counts is in its commits, each with
 * a checksum.
 */
function mmapvector(_words: Int32Array, _available: number, path: string): Inspection['contents'] {
  const file = native().vectorFileOpen(path, false);
  try {
    const { type, committed, recovered } = native().vectorFileDescribe(file);
    return {
      type: TYPE_NAMES[type]!,
      length: committed,
      latestCommit: recovered ? 'cut short; the one before counts' : 'whole',
      elementChecksum: elementChecksum(file),
    };
  } finally {
    native().vectorFileClose(file);
  }
}

function elementChecksum(file: object): 'correct' | 'wrong' {
  try {
    native().vectorFileValidate(file);
    return 'correct';
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_OFFHEAP_CORRUPT') throw error;
    return 'wrong';
  }
}

function dictionary(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { content, phrases, contexts } = readDictionary(words, available, path);
  return { contentBytes: content, phrases, contexts };
}

function recordstore(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { length, payload, longest, total, dictionary: dictionaryBytes } = readStore(words, available, path);
  const ratio = payload === 0 ? 0 : Number((total / payload).toFixed(3));
  return { records: length, rawBytes: total, compressedBytes: payload, ratio, longest, dictionaryBytes };
}

function bloomfilter(words: Int32Array, available: number, path: string): Inspection['contents'] {
  const { blocks, capacity, rate } = readFilter(words, available, path);
  return { blocks, capacity, rate };
}

function suffixarray(words: Int32Array, available: number, path: string): Inspection['contents'] {
  return { length: readSuffixes(words, available, path) };
}
