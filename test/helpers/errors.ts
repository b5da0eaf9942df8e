/** Checks of errors: they are OffheapErrors with the expected code and a message. */
import { expect } from 'vitest';
import { OffheapError, type ErrorCode } from '../../src/errors.js';

/** The error that `body` throws, which must be one of ours. */
export function thrown(body: () => unknown): OffheapError {
  let result: unknown;
  try {
    result = body();
  } catch (error) {
    return ours(error);
  }
  throw new Error(`nothing was thrown; the result was ${String(result)}`);
}

/** The error that a promise is rejected with, which must be one of ours. */
export async function rejected(promise: Promise<unknown>): Promise<OffheapError> {
  try {
    await promise;
  } catch (error) {
    return ours(error);
  }
  throw new Error('the promise was not rejected');
}

/** Checks that `body` throws an error of ours with this code, whose message matches `pattern`. */
export function throws(body: () => unknown, code: ErrorCode, pattern = /\S/): void {
  const error = thrown(body);
  expect(error.code, error.message).toBe(code);
  expect(error.message).toMatch(pattern);
}

function ours(error: unknown): OffheapError {
  if (!(error instanceof OffheapError)) throw error;
  expect(error.message.length).toBeGreaterThan(10);
  expect(error instanceof TypeError).toBe(error.code === 'ERR_OFFHEAP_TYPE');
  expect(error instanceof RangeError).toBe(error.code === 'ERR_OFFHEAP_RANGE');
  return error;
}
