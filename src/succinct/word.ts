/**
 * Bit operations on one or two 32-bit words. JavaScript has no instructions for them: each takes
 * about a dozen operations without branches.
 */

/** The number of bits that are set. */
export function popcount32(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The number of bits that are set in two words. */
export function popcount64(low: number, high: number): number {
  let x = low - ((low >>> 1) & 0x55555555);
  let y = high - ((high >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  y = (y & 0x33333333) + ((y >>> 2) & 0x33333333);
  const sums = ((x + (x >>> 4)) & 0x0f0f0f0f) + ((y + (y >>> 4)) & 0x0f0f0f0f);
  return Math.imul(sums, 0x01010101) >>> 24;
}

/** `IN_BYTE[byte + 256 * k]`: the position of the k-th one of a byte. */
const IN_BYTE = new Uint8Array(2048);
for (let byte = 0; byte < 256; byte++) {
  for (let bit = 0, k = 0; bit < 8; bit++) if ((byte >>> bit) & 1) IN_BYTE[byte + 256 * k++] = bit;
}

/**
 * The position of the k-th one, counted from 0. The word must have more than `k` ones, else the
 * result is some number from 0 to 39. The byte is found by comparing all four running sums at once,
 * the bit by a table (Vigna, "Broadword implementation of rank/select queries", 2008).
 */
export function select32(word: number, k: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  const sums = Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101);
  const passed = ((Math.imul(k, 0x01010101) | 0x80808080) - sums) & 0x80808080;
  const place = (Math.imul(passed >>> 7, 0x01010101) >>> 24) * 8;
  const rest = k - (((sums << 8) >>> place) & 0xff);
  return place + IN_BYTE[(((word >>> place) & 0xff) | (rest << 8)) & 2047];
}
