/**
 * The header that every region begins with: its words, and the constant-time check of untrusted
 * bytes. The specification is `docs/formats/region.md`; `native/core/src/region/header.rs` is the
 * other implementation. The words after the header belong to the structure.
 */
import { offheapError } from '../errors.js';
import { KINDS, type Kind } from './kinds.js';

/** The size of the header in bytes, and in 32-bit words. */
export const HEADER_BYTES = 256;
export const HEADER_WORDS = HEADER_BYTES / 4;
/** Sections start at multiples of this many bytes, and a region's length is one. */
export const ALIGNMENT = 64;

export const MAGIC = 0x5048464f;
export const FORMAT_VERSION = 1;

/** Words of the header, by index. */
export const WORD = {
  magic: 0,
  version: 1,
  kind: 2,
  kindVersion: 3,
  lengthLow: 4,
  lengthHigh: 5,
  sequence: 6,
  flags: 7,
  checksum: 8,
  seed0: 9,
  seed1: 10,
  structure: 16,
} as const;

/** Bits of the flags word. */
export const FLAG_CHECKSUM = 1;
export const FLAG_SUPERSEDED = 2;

export { KINDS, type Kind };

export const TWO_32 = 4_294_967_296;

/** `value` rounded up to the next multiple of 64. */
export function align(value: number): number {
  return Math.ceil(value / ALIGNMENT) * ALIGNMENT;
}

/**
 * A 64-bit quantity below 2^53 from two words, the low word first. Small quantities take a path
 * without a product, which V8 would represent as a boxed number even if it is 0. A field that once
 * stores such a number stays boxed.
 */
export function readLong(words: Int32Array, at: number): number {
  const high = words[at + 1] >>> 0;
  return high === 0 ? words[at] >>> 0 : (words[at] >>> 0) + high * TWO_32;
}

export function writeLong(words: Int32Array, at: number, value: number): void {
  words[at] = value | 0;
  words[at + 1] = Math.floor(value / TWO_32) | 0;
}

/** Writes the header of a new region into words that are zero. */
export function writeHeader(
  words: Int32Array,
  kind: Kind,
  length: number,
  seed: readonly [number, number],
): void {
  words[WORD.magic] = MAGIC;
  words[WORD.version] = FORMAT_VERSION;
  words[WORD.kind] = KINDS[kind].code;
  words[WORD.kindVersion] = KINDS[kind].version;
  writeLong(words, WORD.lengthLow, length);
  words[WORD.seed0] = seed[0];
  words[WORD.seed1] = seed[1];
}

/**
 * The part of the constant-time check that all kinds share. `available` is the number of bytes.
 * Returns the region's length; throws `ERR_OFFHEAP_CORRUPT`, or `ERR_OFFHEAP_VERSION` for bytes
 * that another release or another structure can read.
 */
export function checkHeader(words: Int32Array, available: number, kind: Kind, what: string): number {
  if (words[WORD.magic] !== MAGIC) throw corrupt(what, 'it does not begin with the magic bytes OFHP');
  if (words[WORD.version] !== FORMAT_VERSION) {
    throw offheapError(
      'ERR_OFFHEAP_VERSION',
      `${what}: region format ${words[WORD.version] >>> 0}, this release reads ${FORMAT_VERSION}`,
    );
  }
  const expected = KINDS[kind];
  if (words[WORD.kind] !== expected.code) {
    const name = Object.entries(KINDS).find(([, { code }]) => code === words[WORD.kind])?.[0];
    throw offheapError(
      'ERR_OFFHEAP_VERSION',
      `${what}: it holds ${name === undefined ? `a structure of kind ${words[WORD.kind] >>> 0}` : `a ${name}`}, not a ${kind}`,
    );
  }
  const version = words[WORD.kindVersion] >>> 0;
  const { oldest, version: newest } = expected;
  if (version < oldest || version > newest) {
    const known = oldest === newest ? String(newest) : `${oldest} to ${newest}`;
    throw offheapError(
      'ERR_OFFHEAP_VERSION',
      `${what}: ${kind} format ${version}, this release reads ${known}`,
    );
  }
  const length = readLong(words, WORD.lengthLow);
  if (length < HEADER_BYTES || length % ALIGNMENT !== 0) throw corrupt(what, `a length of ${length} bytes`);
  if (length > available) throw corrupt(what, `it should be ${length} bytes long and is ${available}`);
  return length;
}

export function corrupt(what: string, why: string): Error {
  return offheapError('ERR_OFFHEAP_CORRUPT', `${what} is corrupt: ${why}`);
}
