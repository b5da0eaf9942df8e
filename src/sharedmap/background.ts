/**
 * Work that a thread does for its maps from time to time: removing expired entries, watching how
 * full they are, and reporting on `node:diagnostics_channel`.
 *
 * One timer serves all maps of the thread. It does not keep the process alive, and the maps are
 * referenced weakly, so a dropped map is collected as usual.
 *
 * Channels, on which messages of the type `Occurrences` are published only while someone
 * subscribes: `offheap:sharedmap:evict`, `offheap:sharedmap:lock-wait`, `offheap:sharedmap:repair`.
 */
import { channel } from 'node:diagnostics_channel';
import { native } from '../native.js';
import type { Occurrences } from './diagnostics.js';
import { SHARD } from './layout.js';
import { readStats, type SharedMapStats } from './stats.js';
import type { SharedMapTable } from './table.js';

/** Milliseconds between two rounds. */
const INTERVAL = 100;
/** Rounds between two sweeps: one a second. */
const SWEEP_EVERY = 10;
/** Buckets that a sweep visits, about 10 ms of work at most. */
const SWEEP_BUCKETS = 16_384;

const CHANNELS = [
  ['evictions', channel('offheap:sharedmap:evict')],
  ['lockWaits', channel('offheap:sharedmap:lock-wait')],
  ['repairs', channel('offheap:sharedmap:repair')],
] as const;

/** A listener of {@link Watch.onPressure}. */
interface Pressure {
  readonly ratio: number;
  readonly call: (ratio: number) => void;
  isAbove: boolean;
}

/** The work of a thread for one map. */
export class Watch {
  private readonly listeners = new Set<Pressure>();
  private former: SharedMapStats | undefined;
  private rounds = 0;

  /** `map` is what messages name; `table` is its table. */
  constructor(
    private readonly table: SharedMapTable,
    private readonly map: WeakRef<object>,
  ) {
    watches.add(new WeakRef(this));
    timer ??= setInterval(visitAll, INTERVAL).unref();
  }

  /**
   * Calls `call` with the ratio of used bytes to the bound when it rises to `ratio`, and again when
   * it was below in between.
   */
  onPressure(ratio: number, call: (ratio: number) => void): { close(): void } {
    const listener: Pressure = { ratio, call, isAbove: false };
    this.listeners.add(listener);
    return { close: () => void this.listeners.delete(listener) };
  }

  /** One round. False if the map was closed. */
  visit(): boolean {
    const { table } = this;
    if (!table.isOpen) return false;
    const stats = this.sweepAndMeasure();
    if (stats === undefined) return true;
    this.publish(stats);
    const now = stats.usedBytes / stats.maxBytes;
    for (const listener of this.listeners) {
      const wasAbove = listener.isAbove;
      listener.isAbove = now >= listener.ratio;
      if (listener.isAbove && !wasAbove) listener.call(now);
    }
    return true;
  }

  /** Sweeps if it is time. Returns figures if someone wants them. */
  private sweepAndMeasure(): SharedMapStats | undefined {
    const { table } = this;
    try {
      if (this.rounds++ % SWEEP_EVERY === 0 && hasExpiring(table)) {
        native().sharedmapPurge(table.id, SWEEP_BUCKETS);
      }
      const isObserved = CHANNELS.some(([, { hasSubscribers }]) => hasSubscribers);
      if (isObserved || this.listeners.size > 0) return readStats(table);
    } catch {
      // A map that is corrupt, for example: the next operation of the user's reports it. Thrown
      // here, it would end the process.
    }
    this.former = undefined;
    return undefined;
  }

  private publish(stats: SharedMapStats): void {
    const { former } = this;
    this.former = stats;
    if (former === undefined) return;
    for (const [member, target] of CHANNELS) {
      const count = stats[member] - former[member];
      if (count > 0 && target.hasSubscribers)
        target.publish({ count, map: this.map.deref() } satisfies Occurrences);
    }
  }
}

/** Whether a map has entries that expire. */
function hasExpiring({ words, shards, shardsAt, shardStride }: SharedMapTable): boolean {
  for (let shard = 0; shard < shards; shard++) {
    if (words[shardsAt + shard * shardStride + SHARD.expiring] !== 0) return true;
  }
  return false;
}

const watches = new Set<WeakRef<Watch>>();
let timer: NodeJS.Timeout | undefined;

function visitAll(): void {
  for (const reference of watches) {
    const watch = reference.deref();
    if (watch === undefined || !watch.visit()) watches.delete(reference);
  }
  if (watches.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
