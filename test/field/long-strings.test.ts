/** A string of more bytes than Node decodes was stored, and could never be read again. */
import { constants } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { ENCODING, readBlob, Scratch, type TextBuffer } from '../../src/region/blob.js';
import { throws } from '../helpers/errors.js';

const LIMIT = constants.MAX_STRING_LENGTH;

describe('a string whose bytes cannot be decoded', () => {
  it('is rejected with ERR_OFFHEAP_RANGE when it is stored', () => {
    // 3 bytes for each character. The string is a rope, and is refused before it is flattened.
    const text = '日'.repeat(Math.ceil((LIMIT + 1) / 3));
    throws(() => new Scratch().string(text), 'ERR_OFFHEAP_RANGE', new RegExp(String(LIMIT)));
  });

  it.each(['ascii', 'utf8', 'wtf8'] as const)(
    'is ERR_OFFHEAP_UNSUPPORTED when a file has one in %s',
    (encoding) => {
      // Only the length is looked at, so the bytes need not be there.
      const words = Int32Array.of(((LIMIT + 1) << 2) | ENCODING[encoding]);
      const heap = { length: 2 ** 31 } as TextBuffer;
      throws(() => readBlob(words, heap, 0, true), 'ERR_OFFHEAP_UNSUPPORTED');
      throws(() => readBlob(words, heap, 0, false), 'ERR_OFFHEAP_UNSUPPORTED');
    },
  );

  it('does not make shorter ones with lone surrogates fail', () => {
    const scratch = new Scratch();
    const text = `${'x'.repeat(1000)}\ud800`;
    scratch.string(text);
    expect(readBlob(scratch.words, scratch.bytes, 0, true)).toBe(text);
  });
});
