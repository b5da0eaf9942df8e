/**
 * Fields of 1 to 64 bits, side by side in 32-bit words, the first in the lowest bits of the first
 * word: the storage of packed integers and of the lower halves of an Elias-Fano sequence
 * (`docs/formats/succinct.md`). 32 fields of b bits take b words, so the offset of field i follows
 * from `i >>> 5` and `i & 31` in 32-bit arithmetic.
 *
 * Cost: two words for up to 32 bits, three for more; no branch on the position of a field. One word
 * of zeros follows the last field.
 */
const TWO_32 = 4_294_967_296;

/**
 * A mask of the lowest `bits` bits, 0 to 32, as a signed 32-bit word, so that no number is a
 * double.
 */
export function maskOf(bits: number): number {
  return bits === 0 ? 0 : (-1 >>> (32 - bits)) | 0;
}

/**
 * Fields below this index begin in a word whose index is below 2^31, as {@link narrowField} and
 * {@link wideField} require.
 */
export function nearFields(bits: number): number {
  return Math.min(32 * Math.floor((2 ** 31 - 4) / bits), TWO_32);
}

/**
 * Field `index`, which is below {@link nearFields}, of `bits` bits, at most 32. `mask` is
 * `maskOf(bits)`.
 */
export function narrowField(words: Int32Array, index: number, bits: number, mask: number): number {
  const bit = Math.imul(index & 31, bits);
  const word = Math.imul(index >>> 5, bits) + (bit >>> 5);
  // Shifted twice, because shift counts are taken modulo 32: a shift by 32 would do nothing.
  return ((words[word] >>> bit) | ((words[word + 1] << 1) << (31 - (bit & 31)))) & mask;
}

/**
 * Field `index`, which is below {@link nearFields}, of `bits` bits, 33 to 64, as a number; beyond
 * 53 bits, the nearest one. `mask` is `maskOf(bits - 32)`.
 */
export function wideField(words: Int32Array, index: number, bits: number, mask: number): number {
  const bit = Math.imul(index & 31, bits);
  const word = Math.imul(index >>> 5, bits) + (bit >>> 5);
  const left = 31 - (bit & 31);
  const middle = words[word + 1];
  const low = (words[word] >>> bit) | ((middle << 1) << left);
  const high = ((middle >>> bit) | ((words[word + 2] << 1) << left)) & mask;
  return (high >>> 0) * TWO_32 + (low >>> 0);
}

/** Field `index` of any number of bits, 1 to 64, as a number. */
export function field(words: Int32Array, index: number, bits: number): number {
  const bit = (index & 31) * bits;
  const word = groupOf(index) * bits + (bit >>> 5);
  const left = 31 - (bit & 31);
  const low = (words[word] >>> bit) | ((words[word + 1] << 1) << left);
  if (bits <= 32) return (low & maskOf(bits)) >>> 0;
  const high = ((words[word + 1] >>> bit) | ((words[word + 2] << 1) << left)) & maskOf(bits - 32);
  return (high >>> 0) * TWO_32 + (low >>> 0);
}

/** Field `index` of any number of bits as a bigint. */
export function bigField(words: Int32Array, index: number, bits: number): bigint {
  const bit = (index & 31) * bits;
  const word = groupOf(index) * bits + (bit >>> 5);
  const low = BigInt(words[word] >>> 0) | (BigInt(words[word + 1] >>> 0) << 32n);
  const high = bits > 32 ? BigInt(words[word + 2] >>> 0) << 64n : 0n;
  return BigInt.asUintN(bits, (low | high) >> BigInt(bit & 31));
}

function groupOf(index: number): number {
  return index < TWO_32 ? index >>> 5 : Math.floor(index / 32);
}
