/** The options of long operations: stopping them, and following their progress. */
import { typeError } from '../errors.js';
import { describe, type Options } from './options.js';

/** How far a long operation has come. */
export interface Progress {
  /** Bytes done, and bytes in total; or steps, for work that is not measured in bytes. */
  done: number;
  total: number;
}

/** The options of the asynchronous form of a long operation. */
export interface WorkOptions {
  /** Aborts the work: the promise rejects with the signal's reason, and nothing has changed. */
  signal?: AbortSignal;
  /**
   * Called about 20 times a second, and at the end, with the steps done and in total. An error that
   * it throws aborts the work.
   */
  onProgress?: (progress: Progress) => void;
}

/** Checks the two options that all long operations have. */
export function readWorkOptions(read: Options): {
  signal: AbortSignal | undefined;
  onProgress: WorkOptions['onProgress'];
} {
  const { signal, onProgress } = read;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw typeError(`signal must be an AbortSignal, not ${describe(signal)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw typeError(`onProgress must be a function, not ${describe(onProgress)}`);
  }
  return { signal, onProgress: onProgress as WorkOptions['onProgress'] };
}
