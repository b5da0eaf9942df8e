/** Compressor: single records to bytes and back, with a dictionary. */
import { isUint8Array } from 'node:util/types';
import { offheapError, typeError } from '../errors.js';
import { native } from '../native.js';
import { intrinsicLength } from '../region/typed-array.js';
import { describe, integerOption, readOptions } from '../region/options.js';
import { Dictionary } from './dictionary.js';
import { growing, withRoom } from './scratch.js';

export interface CompressorOptions {
  /**
   * 1 (fastest) to 9 (smallest). Up to 4 takes what looks best at each place, 5 and up finds the
   * cheapest way through the whole record. Reading costs the same for all. Default: 3.
   */
  level?: number;
}

export interface DecompressOptions {
  /** The most bytes to make; more throw `ERR_OFFHEAP_RANGE`. Default: 2^31 − 1. */
  maxBytes?: number;
}

export const DEFAULT_LEVEL = 3;
export const MAX_LEVEL = 9;
const MOST = 2 ** 31 - 1;

/**
 * Compresses and decompresses with a dictionary.
 *
 * ```ts
 * const compressor = new Compressor(dictionary, { level: 9 });
 * const packed = compressor.compress(record);
 * compressor.decompress(packed); // record
 * ```
 *
 * Bytes that were made with another dictionary, or were damaged, throw `ERR_OFFHEAP_CORRUPT`. That
 * is found by what they say, and by one byte that names the dictionary: damage that makes sense is
 * not noticed.
 */
export class Compressor {
  /** How hard it looks, 1 to 9. */
  readonly level: number;
  private readonly trained: Dictionary;

  /** Uses the dictionary, and does not close it. */
  constructor(dictionary: Dictionary, options?: CompressorOptions) {
    if (!(dictionary instanceof Dictionary)) {
      throw typeError(`a Compressor needs a Dictionary, not ${describe(dictionary)}`);
    }
    const read = readOptions(options, ['level'], 'Compressor');
    this.level = integerOption(read, 'level', 1, MAX_LEVEL, DEFAULT_LEVEL);
    this.trained = dictionary;
    // Refuses a closed one now rather than later.
    dictionary.stats();
  }

  /** The dictionary that it was made with. */
  get dictionary(): Dictionary {
    return this.trained;
  }

  /**
   * The bytes, compressed: at most one more than they were. A small result is a view of a pool that
   * others share, as for `RecordStore.get`. Throws `ERR_OFFHEAP_RANGE` from 2^31 bytes on.
   */
  compress(bytes: Uint8Array): Uint8Array {
    if (!isUint8Array(bytes)) throw typeError(`compress needs a Uint8Array, not ${describe(bytes)}`);
    const { handle } = this.trained;
    return withRoom(intrinsicLength(bytes) + 1, (out, at) =>
      native().compress(handle, this.level, bytes, out, at),
    );
  }

  /**
   * What was compressed. Takes memory as it is needed, whatever the bytes say, and throws
   * `ERR_OFFHEAP_RANGE` where that would be more than `maxBytes`.
   */
  decompress(bytes: Uint8Array, options?: DecompressOptions): Uint8Array {
    if (!isUint8Array(bytes)) throw typeError(`decompress needs a Uint8Array, not ${describe(bytes)}`);
    const most =
      options === undefined
        ? MOST
        : integerOption(readOptions(options, ['maxBytes'], 'decompress'), 'maxBytes', 0, MOST, MOST);
    const { handle } = this.trained;
    const found = growing(most, (out, at) => native().decompress(handle, bytes, out, at));
    if (found === undefined) {
      throw offheapError('ERR_OFFHEAP_RANGE', `it decompresses to more than ${most} bytes`);
    }
    return found;
  }
}
