/** The tags of a bucket: one byte of the hash for each of its 20 slots. */

/**
 * The slots of the bucket at a word that have a tag, as 20 bits; some others may be among them.
 * `tags`: the tag in each of 4 bytes.
 *
 * There is no branch for each word: the entry is in any of them, so such branches would be
 * mispredicted.
 */
export function slotsWithTag(words: Int32Array, home: number, tags: number): number {
  return (
    zeroBytes(words[home + 2] ^ tags) |
    (zeroBytes(words[home + 3] ^ tags) << 4) |
    (zeroBytes(words[home + 4] ^ tags) << 8) |
    (zeroBytes(words[home + 5] ^ tags) << 12) |
    (zeroBytes(words[home + 6] ^ tags) << 16)
  );
}

/** The bytes of a word that are 0, as 4 bits. A bit above one that is set may be wrong. */
function zeroBytes(word: number): number {
  const zero = (word - 0x01010101) & ~word & -0x7f7f7f80;
  // The product moves the bits 7, 15, 23 and 31 to the bits 28 to 31.
  return Math.imul(zero >>> 7, 0x10204080) >>> 28;
}

/** The first of some slots. */
export function firstSlot(slots: number): number {
  return 31 - Math.clz32(slots & -slots);
}
