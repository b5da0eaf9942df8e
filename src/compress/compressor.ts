/** Compressor: compresses and decompresses single records with a dictionary. */
import { isUint8Array } from 'node:util/types';
import { offheapError, typeError } from '../errors.js';
import { native } from '../native.js';
import { intrinsicLength, refuseDetached } from '../region/typed-array.js';
import { describe, integerOption, readOptions } from '../region/options.js';
import { Dictionary, handleOf } from './dictionary.js';
import { growing, withRoom } from './result-buffer.js';

export interface CompressorOptions {
  /**
   * 1 (fastest) to 9 (smallest). Levels up to 4 choose greedily at each position, levels from 5 on
   * find the cheapest encoding of the whole record. Decompression costs the same for all. Default:
   * 3.
   */
  level?: number;
}

export interface DecompressOptions {
  /** The most bytes to produce; more throw `ERR_OFFHEAP_RANGE`. Default: 2^31 − 1. */
  maxBytes?: number;
}

export const DEFAULT_LEVEL = 3;
export const MAX_LEVEL = 9;
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Compresses and decompresses with a dictionary.
 *
 * ```ts
 * const compressor = new Compressor(dictionary, { level: 9 });
 * const packed = compressor.compress(record);
 * compressor.decompress(packed); // record
 * ```
 *
 * Bytes that are corrupt, or that another dictionary compressed, throw `ERR_OFFHEAP_CORRUPT` where
 * they contradict themselves, or the one byte that identifies the dictionary. There is no checksum:
 * corrupt bytes that happen to be valid are not noticed.
 */
export class Compressor {
  /** The compression level, 1 to 9. */
  readonly level: number;
  readonly #dictionary: Dictionary;

  /** Uses the dictionary, and does not close it. */
  constructor(dictionary: Dictionary, options?: CompressorOptions) {
    if (!(dictionary instanceof Dictionary)) {
      throw typeError(`a Compressor needs a Dictionary, not ${describe(dictionary)}`);
    }
    const read = readOptions(options, ['level'], 'Compressor');
    this.level = integerOption(read, 'level', 1, MAX_LEVEL, DEFAULT_LEVEL);
    this.#dictionary = dictionary;
    // Throws for a closed dictionary now rather than later.
    dictionary.stats();
  }

  /** The dictionary that was given to the constructor. */
  get dictionary(): Dictionary {
    return this.#dictionary;
  }

  /**
   * Compresses bytes to at most one byte more. A small result is a view of a pool that it shares
   * with other results, as for `RecordStore.get`. Throws `ERR_OFFHEAP_RANGE` from 2^31 bytes on.
   */
  compress(bytes: Uint8Array): Uint8Array {
    if (!isUint8Array(bytes)) throw typeError(`compress needs a Uint8Array, not ${describe(bytes)}`);
    refuseDetached(bytes, 'compress');
    const handle = handleOf(this.#dictionary);
    return withRoom(intrinsicLength(bytes) + 1, (out, at) =>
      native().compress(handle, this.level, bytes, out, at),
    );
  }

  /**
   * Decompresses bytes. Allocates memory as it is needed, whatever size the bytes claim, and throws
   * `ERR_OFFHEAP_RANGE` if the result would be larger than `maxBytes`.
   */
  decompress(bytes: Uint8Array, options?: DecompressOptions): Uint8Array {
    if (!isUint8Array(bytes)) throw typeError(`decompress needs a Uint8Array, not ${describe(bytes)}`);
    refuseDetached(bytes, 'decompress');
    const most =
      options === undefined
        ? MAX_BYTES
        : integerOption(
            readOptions(options, ['maxBytes'], 'decompress'),
            'maxBytes',
            0,
            MAX_BYTES,
            MAX_BYTES,
          );
    const handle = handleOf(this.#dictionary);
    const found = growing(most, (out, at) => native().decompress(handle, bytes, out, at));
    if (found === undefined) {
      throw offheapError('ERR_OFFHEAP_RANGE', `the record decompresses to more than ${most} bytes`);
    }
    return found;
  }
}
