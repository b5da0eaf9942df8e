/**
 * Messages on `node:diagnostics_channel`, and the times of operations for `offheap:sharedmap:slow`.
 *
 * Operations call native code through {@link calls}, which measures while someone subscribes. Reads
 * that take no lock are not measured: they wait for nobody.
 *
 * Messages are published in a microtask: a subscriber that uses the map must not overwrite the
 * result of the operation that was slow. At most {@link MOST} wait there, so a loop that never ends
 * does not fill the memory.
 *
 * Cost without subscribers: one load and a comparison per native call.
 */
import { channel } from 'node:diagnostics_channel';
import { rangeError, typeError } from '../errors.js';
import { native, type NativeBinding } from '../native.js';
import { describe } from '../region/options.js';

/** A message of `offheap:sharedmap:slow`: an operation of this thread took long. */
export interface SlowOperation {
  /** Its kind, as a method of `SharedMap` is called. Other methods use it too. */
  operation: string;
  /** Time that it took, in milliseconds; waits for locks included. */
  milliseconds: number;
  /** Messages after this one that were dropped, because too many waited for their delivery. */
  dropped: number;
  /** The `SharedMap`; `undefined` if it was dropped meanwhile. */
  map: object | undefined;
}

/** A message of `offheap:sharedmap:evict`, `:lock-wait` and `:repair`. */
export interface Occurrences {
  /** How many there were since the last message, by all participants; at least 1. */
  count: number;
  /** The `SharedMap`; `undefined` if it was dropped meanwhile. */
  map: object | undefined;
}

/** The channels of SharedMap and the types of their messages. */
export interface SharedMapChannels {
  'offheap:sharedmap:slow': SlowOperation;
  'offheap:sharedmap:evict': Occurrences;
  'offheap:sharedmap:lock-wait': Occurrences;
  'offheap:sharedmap:repair': Occurrences;
}

/** Milliseconds from which on an operation is slow, if the option is not given. */
const DEFAULT_SLOW = 10;
/** Messages that wait for their delivery at most. */
const MOST = 1024;

/** The calls that are measured. Their first argument is the id of an attachment. */
const OPERATIONS = {
  sharedmapGet: 'get',
  sharedmapGetByHandle: 'getByHandle',
  sharedmapGetMany: 'getMany',
  sharedmapSet: 'set',
  sharedmapSetByHandle: 'setByHandle',
  sharedmapSetMany: 'setMany',
  sharedmapIncrement: 'increment',
  sharedmapIncrementInteger: 'increment',
  sharedmapTouch: 'touch',
  sharedmapTake: 'getAndDelete',
  sharedmapDelete: 'delete',
  sharedmapDeleteByHandle: 'deleteByHandle',
  sharedmapDeleteMany: 'deleteMany',
  sharedmapLease: 'getOrCompute',
  sharedmapCommit: 'transaction',
  sharedmapScan: 'scan',
  sharedmapPurge: 'purgeExpired',
  sharedmapClear: 'clear',
  sharedmapValidate: 'validate',
} as const satisfies Partial<Record<keyof NativeBinding, string>>;

const slow = channel('offheap:sharedmap:slow');

interface Target {
  readonly milliseconds: number;
  readonly map: WeakRef<object>;
}

/** The open maps of this thread by the ids of their attachments. */
const targets = new Map<number, Target>();
let waiting: Omit<SlowOperation, 'dropped'>[] = [];
let dropped = 0;
let measuring: NativeBinding | undefined;

/** The addon, for an operation of a map: it is measured while someone subscribes. */
export function calls(): NativeBinding {
  return slow.hasSubscribers ? (measuring ??= measured(native())) : native();
}

/** Reports slow operations of an attachment from now on. */
export function watchCalls(id: number, map: WeakRef<object>, milliseconds: number): void {
  targets.set(id, { map, milliseconds });
}

/** Ends {@link watchCalls}. */
export function forgetCalls(id: number): void {
  targets.delete(id);
}

/** The option `slowMilliseconds`. */
export function slowOption(value: unknown): number {
  if (value === undefined) return DEFAULT_SLOW;
  if (typeof value !== 'number') {
    throw typeError(`slowMilliseconds must be a number, not ${describe(value)}`);
  }
  if (!(value >= 0 && value <= 1e9)) {
    throw rangeError(`slowMilliseconds must be from 0 to 1e9, not ${value}`);
  }
  return value;
}

/** The same functions; those of {@link OPERATIONS} measure their time. */
function measured(addon: NativeBinding): NativeBinding {
  type Call = (id: number, ...rest: unknown[]) => unknown;
  const wrapped = { ...addon } as unknown as Record<string, Call>;
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const call = wrapped[name];
    wrapped[name] = (id, ...rest) => {
      const start = performance.now();
      try {
        return call(id, ...rest);
      } finally {
        note(id, operation, performance.now() - start);
      }
    };
  }
  return wrapped as unknown as NativeBinding;
}

function note(id: number, operation: string, milliseconds: number): void {
  const target = targets.get(id);
  if (target === undefined || milliseconds < target.milliseconds) return;
  if (waiting.length >= MOST) {
    dropped++;
    return;
  }
  if (waiting.length === 0) queueMicrotask(deliver);
  waiting.push({ operation, milliseconds, map: target.map.deref() });
}

function deliver(): void {
  const messages = waiting;
  const lost = dropped;
  waiting = [];
  dropped = 0;
  const last = messages.at(-1);
  for (const message of messages) {
    slow.publish({ ...message, dropped: message === last ? lost : 0 } satisfies SlowOperation);
  }
}
