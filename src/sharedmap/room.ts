/** Room for changes of a map that evicts nothing: what `choose.ts` provides to the others. */

/** The room that a change needs, and the entries that it depends on. */
export interface Room {
  /** A hash of the shard. */
  readonly hash: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Whether an entry, by the bytes of its key and its version, is not a candidate. */
  readonly isKept: (id: string, version: number) => boolean;
}

/** Repeats changes that native code refuses for want of room, after it has made some. */
export interface RoomMaker {
  /** Throws `ERR_OFFHEAP_LOCKED` if the map must not be changed now. */
  check(): void;
  /** Makes the change of the key in flight, which is in the message like its value. */
  changeOne<T>(call: () => T): T;
  /** Makes the change of the value of a handle. */
  changeByHandle<T>(handle: number, call: () => T): T;
  /** Makes the change that the message contains. */
  change<T>(room: Room, call: () => T): T;
}
