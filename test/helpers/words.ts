/** The words of a HashMap's header that tests look at and tamper with (docs/formats/hashmap.md). */
export const WORD = {
  magic: 0,
  version: 1,
  kind: 2,
  kindVersion: 3,
  lengthLow: 4,
  sequence: 6,
  flags: 7,
  checksum: 8,
  seed0: 9,
  seed1: 10,
  schema: 16,
  capacity: 17,
  buckets: 18,
  used: 19,
  dead: 20,
  state: 21,
  epoch: 22,
  slotCapacity: 23,
  slotsUsed: 24,
  freeSlot: 25,
  heapUsed: 30,
} as const;

/** The header of a region's bytes, to read and write. */
export function header(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, 64);
}

/**
 * Takes the checksum off a region's bytes: who changes them and wants to be read clears it, or
 * nothing else is tested.
 */
export function unseal(bytes: Uint8Array): Uint8Array {
  header(bytes)[WORD.flags] = 0;
  header(bytes)[WORD.checksum] = 0;
  return bytes;
}

/** Where the sections of a map with 4-byte keys lie, and how long they are. */
export function sections(bytes: Uint8Array, keyWidth: number, valueWidth: number) {
  const words = header(bytes);
  const capacity = words[WORD.capacity];
  const slots = words[WORD.slotCapacity];
  let at = 256;
  const next = (length: number): { at: number; length: number } => {
    const section = { at, length };
    at += Math.ceil(length / 64) * 64;
    return section;
  };
  return {
    index: next(words[WORD.buckets] * 64),
    dead: next(Math.ceil(capacity / 32) * 4),
    keys: next(keyWidth * capacity),
    values: next(valueWidth * capacity),
    slotOfEntry: next(slots > 0 ? capacity * 4 : 0),
    entryOfSlot: next(slots * 4),
    generations: next(slots * 4),
    heap: { at, length: bytes.length - at },
  };
}
