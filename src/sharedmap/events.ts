/**
 * Events of a map: what participants of all threads and processes changed.
 *
 * Native code records them in a bounded ring of each shard while somebody subscribes. Here one
 * timer per map reads them every {@link INTERVAL} ms. It does not keep the process alive.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { checkFunction } from '../region/map-like.js';
import { describe, readOptions } from '../region/options.js';
import { DOUBLES, PAYLOAD } from './message.js';
import type { SharedMapTable } from './table.js';

/** What happened to an entry. */
export type EventType = 'evict' | 'expire' | 'delete' | 'set';

/** An event of {@link SharedMap.subscribe}. */
export interface MapEvent<K> {
  type: EventType;
  key: K;
}

/** Options of {@link SharedMap.subscribe}. */
export interface SubscribeOptions {
  /** The types to deliver. Default: all. */
  events?: readonly EventType[];
  /** Called with the number of events that were overwritten before they could be delivered. */
  onDropped?: (count: number) => void;
}

const BITS: Readonly<Record<EventType, number>> = { evict: 1, expire: 2, delete: 4, set: 8 };
const TYPES = Object.keys(BITS) as readonly EventType[];
const INTERVAL = 20;
const RECORD = 16;

interface Listener {
  readonly call: (event: MapEvent<never>) => void;
  readonly mask: number;
  readonly dropped: ((count: number) => void) | undefined;
}

/** The subscriptions of one attachment. */
export class Subscriptions {
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly table: SharedMapTable) {}

  add(call: unknown, options: unknown): { close(): void } {
    checkFunction(call);
    const { events = TYPES, onDropped } = readOptions(options, ['events', 'onDropped'], 'subscribe');
    if (onDropped !== undefined) checkFunction(onDropped);
    if (!Array.isArray(events)) throw typeError(`events must be an array, not ${describe(events)}`);
    let mask = 0;
    for (const type of events as unknown[]) {
      const bit = Object.hasOwn(BITS, type as PropertyKey) ? BITS[type as EventType] : undefined;
      if (bit === undefined) {
        throw typeError(`an event is one of ${TYPES.join(', ')}, not ${describe(type)}`);
      }
      mask |= bit;
    }
    const listener = { call, mask, dropped: onDropped } as Listener;
    this.deliver(); // earlier events are not those of the new listener
    this.listeners.add(listener);
    this.update();
    return {
      close: () => {
        if (this.listeners.delete(listener)) this.update();
      },
    };
  }

  private update(): void {
    if (!this.table.isOpen) return this.stop();
    let mask = 0;
    for (const listener of this.listeners) mask |= listener.mask;
    native().sharedmapSubscribe(this.table.id, mask);
    if (mask === 0) this.stop();
    else this.timer ??= setInterval(() => this.deliver(), INTERVAL).unref();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Calls the listeners for all events since the last time. */
  deliver(): void {
    if (!this.table.isOpen) return this.stop();
    if (this.listeners.size === 0) return;
    const { events, dropped } = poll(this.table);
    // A listener may subscribe, unsubscribe, change the map or throw.
    for (const listener of [...this.listeners]) {
      const { call, mask, dropped: tell } = listener;
      if (dropped > 0 && tell !== undefined) guarded(() => tell(dropped));
      for (const { bit, event } of events) {
        if ((mask & bit) !== 0 && this.listeners.has(listener)) guarded(() => call(event));
      }
    }
  }
}

/** An error of a listener is thrown where nothing else is interrupted, as by an EventTarget. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function poll(table: SharedMapTable): { events: { bit: number; event: MapEvent<never> }[]; dropped: number } {
  const { message } = table;
  const length = table.call(() => native().sharedmapPoll(table.id));
  const dropped = message.doubles[DOUBLES.resultVersion];
  const events: { bit: number; event: MapEvent<never> }[] = [];
  for (let at = PAYLOAD; at < PAYLOAD + length;) {
    const word = at >> 2;
    const size = message.words[word];
    if (size < RECORD) break; // only in a region that was overwritten
    const bit = message.words[word + 1];
    const type = TYPES.find((name) => BITS[name] === bit);
    const key = table.keyOf(message.words[word + 2], at + RECORD) as never;
    if (type !== undefined) events.push({ bit, event: { type, key } });
    at += size;
  }
  message.trim();
  return { events, dropped };
}
