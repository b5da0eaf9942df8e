/**
 * Single flight: of all threads and processes, one computes a value while the others wait.
 *
 * The one has a lease, an entry of the map that counts as absent. The others look again after
 * pauses of 1 to 50 ms, because a process cannot be woken by another one's event loop.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isUint8Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { checkFunction } from '../region/map-like.js';
import { describe, readOptions } from '../region/options.js';
import { calls } from './diagnostics.js';
import { lookUp, MISSING } from './read.js';
import { checkTtl } from './schema.js';
import type { SharedMapTable } from './table.js';
import { MODE, write } from './write.js';

/** Options of {@link SharedMap.getOrCompute}. */
export interface ComputeOptions {
  /** Milliseconds until the value expires. Default: the map's `ttl`. */
  ttl?: number;
  /**
   * Milliseconds after which another caller may compute the value, because this one takes too long.
   * Default: 30,000.
   */
  lease?: number;
  /** Aborts waiting and computing. */
  signal?: AbortSignal;
}

/** What the function of {@link SharedMap.getOrCompute} receives. */
export interface ComputeContext {
  /** Aborted when the caller's signal is, and when the lease has ended. */
  signal: AbortSignal;
}

const PRESENT = 0;
const ACQUIRED = 1;
const LONGEST_PAUSE = 50;

export async function getOrCompute(
  table: SharedMapTable,
  given: unknown,
  compute: (key: never, context: ComputeContext) => unknown,
  options: unknown,
): Promise<unknown> {
  checkFunction(compute);
  const { lease, signal, ttl } = read(options);
  // The bytes of a key may change while this waits.
  const key = isUint8Array(given) ? new Uint8Array(given) : given;
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    table.encode(key);
    const found = lookUp(table, pause === 1);
    if (found !== MISSING) return found;
    signal?.throwIfAborted();
    table.prepare(key);
    const outcome = table.change(() => calls().sharedmapLease(table.id, lease));
    if (outcome === ACQUIRED) return computeNow(table, key, compute, lease, ttl, signal);
    if (outcome !== PRESENT) await sleep(pause, undefined, signal === undefined ? {} : { signal });
  }
}

/** Computes and stores the value; the caller has the lease. */
async function computeNow(
  table: SharedMapTable,
  key: unknown,
  compute: (key: never, context: ComputeContext) => unknown,
  lease: number,
  ttl: number | undefined,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const controller = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    controller.abort(new Error(`the lease of ${lease} ms has ended`));
  }, lease);
  const abort = (): void => controller.abort(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const value = await compute(key as never, { signal: controller.signal });
    // After its lease another one may have stored a value, which is at least as recent.
    write(table, key, value, ttl === undefined ? undefined : { ttl }, isLate ? MODE.add : MODE.set, 0);
    return value;
  } catch (error) {
    endLease(table, key);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

function endLease(table: SharedMapTable, key: unknown): void {
  // With a closed map the lease ends with its time, or with the participant.
  if (!table.isOpen) return;
  table.prepare(key);
  native().sharedmapEndLease(table.id);
}

function read(options: unknown): { lease: number; ttl: number | undefined; signal: AbortSignal | undefined } {
  const { lease = 30_000, ttl, signal } = readOptions(options, ['ttl', 'lease', 'signal'], 'getOrCompute');
  if (typeof lease !== 'number') throw typeError(`lease must be a number, not ${describe(lease)}`);
  if (!(lease > 0 && lease < 2 ** 31)) {
    throw rangeError(`lease must be above 0 and below 2^31 milliseconds, not ${lease}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw typeError(`signal must be an AbortSignal, not ${describe(signal)}`);
  }
  return { lease, ttl: ttl === undefined ? undefined : checkTtl(ttl), signal };
}
