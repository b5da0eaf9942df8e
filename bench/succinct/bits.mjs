/** The bits used by all measurements, and the peer libraries. */
import { BitVector as MnemonistBitVector } from 'mnemonist';
import { BitVector } from '../../dist/succinct/index.js';

/**
 * Random bits of which `percent` % are ones, as words: each is made of as many random ones as the
 * percentage has binary places, by AND where a place is 0 and OR where it is 1.
 *
 * @param {() => number} random below 1 @param {number} length @param {number} percent
 */
export function randomWords(random, length, percent) {
  const places = 16;
  const wanted = Math.round((percent / 100) * 2 ** places);
  const words = new Uint32Array(Math.ceil(length / 32));
  for (let at = 0; at < words.length; at++) {
    let word = 0;
    for (let place = 0; place < places; place++) {
      const bits = random() * 2 ** 32;
      word = (wanted >>> place) & 1 ? word | bits : word & bits;
    }
    words[at] = word;
  }
  const rest = length % 32;
  if (rest > 0) words[words.length - 1] &= (1 << rest) - 1;
  return words;
}

/** @param {Uint32Array} words @param {number} length */
export const bitVector = (words, length) => BitVector.from(new Uint8Array(words.buffer)).resize(length);

/**
 * mnemonist's BitVector, filled through its internals, because setting single bits is slow.
 * @param {Uint32Array} words
 * @param {BitVector} bits
 */
export function mnemonistBits(words, bits) {
  const made = new MnemonistBitVector(bits.length);
  made.array.set(words);
  made.size = bits.count();
  return made;
}

/**
 * The maximum number of bits for each peer. roaring-wasm returns positions from `select` as 32-bit
 * floats, which are wrong from 2^24 on, and it fails on many values. The others take minutes to
 * build beyond these sizes.
 */
export const MOST = { mnemonist: 2 ** 27, roaring: 2 ** 27, 'roaring-wasm': 2 ** 24 };

/** @typedef {{ make: (ones: Uint32Array) => any, bytes: (bitmap: any) => number }} Peer */
/** CRoaring, as WebAssembly and as an addon. The addon is optional. */
export const roarings = /** @type {Record<string, Peer>} */ ({});
for (const name of ['roaring-wasm', 'roaring']) {
  try {
    const { RoaringBitmap32 } = await import(name).then((module) => module.default ?? module);
    roarings[name] = {
      make: (ones) => {
        const bitmap = new RoaringBitmap32(ones);
        bitmap.runOptimize();
        return bitmap;
      },
      bytes: (bitmap) => bitmap.getSerializationSizeInBytes('portable'),
    };
  } catch {
    // Not installed: the table omits it.
  }
}
