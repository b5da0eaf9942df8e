import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { OffheapError, offheapError, rangeError, typeError, type ErrorCode } from '../../src/errors.js';

describe('OffheapError', () => {
  it('is a TypeError or RangeError where JavaScript has these, and always an OffheapError', () => {
    const wrong = typeError('key must be a string');
    expect(wrong).toBeInstanceOf(TypeError);
    expect(wrong).toBeInstanceOf(OffheapError);
    expect(wrong).not.toBeInstanceOf(RangeError);
    expect(wrong.code).toBe('ERR_OFFHEAP_TYPE');
    expect(wrong.name).toBe('TypeError');

    const far = rangeError('index 9 is past the end');
    expect(far).toBeInstanceOf(RangeError);
    expect(far).toBeInstanceOf(OffheapError);
    expect(far).not.toBeInstanceOf(TypeError);
    expect(far.code).toBe('ERR_OFFHEAP_RANGE');

    const closed = offheapError('ERR_OFFHEAP_CLOSED', 'the map is closed');
    expect(closed).toBeInstanceOf(OffheapError);
    expect(closed).toBeInstanceOf(Error);
    expect(closed).not.toBeInstanceOf(TypeError);
    expect(closed.name).toBe('OffheapError');
  });

  it('does not claim other errors', () => {
    for (const other of [
      new TypeError('x'),
      new RangeError('x'),
      { code: 'ERR_OFFHEAP_TYPE' },
      null,
      7,
      'x',
    ]) {
      expect(other).not.toBeInstanceOf(OffheapError);
    }
  });

  it('does not change instanceof for derived classes', () => {
    class Mine extends OffheapError {}
    expect(new Mine('ERR_OFFHEAP_IO', 'x')).toBeInstanceOf(Mine);
    expect(new Mine('ERR_OFFHEAP_IO', 'x')).toBeInstanceOf(OffheapError);
    expect(typeError('x')).not.toBeInstanceOf(Mine);
    expect(new OffheapError('ERR_OFFHEAP_IO', 'x')).not.toBeInstanceOf(Mine);
  });

  it('keeps the cause, and prints its code and message', () => {
    const cause = new Error('ENOSPC');
    const error = offheapError('ERR_OFFHEAP_IO', 'could not save', { cause });
    expect(error.cause).toBe(cause);
    expect(Object.keys(error)).toEqual(['code']);
    expect(inspect(error)).toContain("code: 'ERR_OFFHEAP_IO'");
    expect(String(error)).toBe('OffheapError: could not save');
    expect(error.stack?.split('\n')[1]).toContain('errors');
  });

  it('has the codes of the Rust core, in name and number', () => {
    const table = readFileSync(new URL('../../native/core/src/error.rs', import.meta.url), 'utf8');
    const rust = [...table.matchAll(/^ {4}\w+ = \d+, "(\w+)";$/gm)].map((match) => `ERR_OFFHEAP_${match[1]}`);
    // A Record over the union: a code that is missing here, or is none, does not compile.
    const ours: Record<ErrorCode, true> = {
      ERR_OFFHEAP_RANGE: true,
      ERR_OFFHEAP_TYPE: true,
      ERR_OFFHEAP_CLOSED: true,
      ERR_OFFHEAP_CORRUPT: true,
      ERR_OFFHEAP_VERSION: true,
      ERR_OFFHEAP_FULL: true,
      ERR_OFFHEAP_OOM: true,
      ERR_OFFHEAP_LOCKED: true,
      ERR_OFFHEAP_IO: true,
      ERR_OFFHEAP_STALE: true,
      ERR_OFFHEAP_UNSUPPORTED: true,
      ERR_OFFHEAP_NATIVE: true,
      ERR_OFFHEAP_CONFLICT: true,
    };
    expect(rust).toEqual(Object.keys(ours));
  });
});
