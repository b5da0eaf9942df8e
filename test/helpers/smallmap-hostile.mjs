/**
 * A process that feeds spoilt regions to SmallMapArena and does everything with what comes out, as
 * hostile.mjs does with HashMap. Its parent sees a crash, a loop without end and an error that is
 * none of ours; the last case is kept in a file.
 *
 *   node smallmap-hostile.mjs <folder of dist> <scratch folder> <road> <schema> <way>
 */
import { ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

const [dist, scratch, road, schema, way] = process.argv.slice(2);
const { SmallMapArena, OffheapError } = await import(join(dist, 'index.js'));

const last = openSync(join(scratch, 'last'), 'w');
let random = 12345;
const below = (limit) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};

const [keyType, valueType] = schema.split(' ');
const make = (type, n) => {
  if (type === 'string') return n % 5 === 0 ? `\ud800${n}` : n % 3 === 0 ? `ключ ${n}` : `key ${n}`;
  if (type === 'bool') return n % 2 === 0;
  return type.endsWith('64') && type !== 'f64' ? BigInt(n) << 30n : n & 127;
};
const key = (n) => make(keyType, n);
const value = (n) => make(valueType, n);

/**
 * An arena in which each section has contents: slots of each size, free ones, promoted maps, free
 * maps and strings.
 */
function original() {
  const arena = new SmallMapArena({ key: keyType, value: valueType, capacity: 3, seed: 7n });
  const ids = Array.from({ length: 14 }, () => arena.create());
  ids.forEach((id, at) => {
    for (let n = 0; n < at; n++) arena.set(id, key(n), value(n + at));
  });
  for (const id of [ids[2], ids[6], ids[11]]) arena.release(id);
  arena.delete(ids[12], key(3));
  arena.delete(ids[7], key(0));
  arena.delete(ids[3], key(1));
  arena.set(arena.create(), key(50), value(50));
  const bytes = arena.toBytes();
  // Without the checksum, which would find out everything that is to be tried here.
  new Int32Array(bytes.buffer, 28, 2).fill(0);
  return bytes;
}

/** Runs one call; errors of ours are fine. */
function attempt(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof OffheapError && error.message.length > 5) return undefined;
    throw error;
  }
}

/** Takes from an iterator what there is; a list in a circle is a fault, but not of ten entries. */
function drain(iterator) {
  let steps = 0;
  for (const item of iterator) if (++steps > 100_000) throw new Error(`no end, at ${String(item)}`);
}

const IDS = [0, 1, 5, 8, 9, 13, 2 ** 32 + 2, 2 ** 32 + 11, 2 ** 33 + 6];
const KEYS = IDS.map((_, n) => key(n));

/** Everything that can be done with an arena. */
function exercise(arena) {
  attempt(() => drain(arena.ids()));
  for (const id of IDS) {
    attempt(() => arena.size(id));
    attempt(() => arena.promoted(id));
    for (const n of [0, 3, 9]) {
      attempt(() => arena.get(id, key(n)));
      attempt(() => arena.has(id, key(n)));
    }
    attempt(() => drain(arena.keys(id)));
    attempt(() => drain(arena.values(id)));
    attempt(() => arena.forEach(id, () => undefined));
    attempt(() => inspect(arena.map(id)));
    attempt(() => arena.map(id).stats());
  }
  attempt(() => arena.getMany(IDS, KEYS));
  for (const id of IDS) attempt(() => arena.getMany(new Float64Array(9).fill(id), KEYS));
  attempt(() => inspect(arena));
  attempt(() => arena.stats());
  attempt(() => arena.validate());
  attempt(() => SmallMapArena.fromBytes(arena.toBytes()).count);
  attempt(() => arena.share());
  // From here on it changes, if it may.
  for (const id of IDS) {
    for (let n = 0; n < 12; n += 3) {
      attempt(() => arena.set(id, key(n), value(n + 1)));
      attempt(() => arena.delete(id, key(n + 1)));
    }
    attempt(() => arena.setMany([id, id], [key(1), key(20)], [value(1), value(2)]));
  }
  attempt(() => {
    for (const item of arena.entries(9)) arena.delete(9, item[0]);
  });
  for (let n = 0; n < 6; n++) {
    attempt(() => {
      const id = arena.create();
      for (let i = 0; i < 11; i++) arena.set(id, key(i), value(i));
      if (n % 2 === 0) arena.clear(id);
    });
  }
  for (const id of IDS.slice(0, 5)) attempt(() => (id % 2 === 0 ? arena.release(id) : arena.clear(id)));
  attempt(() => arena.reserve(40));
  attempt(() => arena.shrinkToFit());
  attempt(() => arena.validate());
  attempt(() => SmallMapArena.fromBytes(arena.toBytes()).get(1, key(2)));
  attempt(() => drain(arena.ids()));
  arena.close();
}

const path = join(scratch, 'spoilt');
function open(bytes) {
  if (road === 'fromBytes') return SmallMapArena.fromBytes(bytes);
  if (road === 'attach') {
    const buffer = new SharedArrayBuffer(Math.max(bytes.length, 1));
    new Uint8Array(buffer).set(bytes);
    // A rearrangement that never ends is waited for, half a minute long: not here.
    if (buffer.byteLength >= 28) new Uint8Array(buffer)[24] &= ~1;
    return SmallMapArena.attach({ offheap: 'smallmap', buffer });
  }
  writeFileSync(path, bytes);
  return SmallMapArena.open(path, { mode: road === 'open rw' ? 'rw' : 'r' });
}

let opened = 0;
let refused = 0;
function run(bytes, description) {
  ftruncateSync(last, 0);
  writeSync(last, `${road} ${schema} ${description}`, 0);
  const arena = attempt(() => open(bytes));
  if (arena === undefined) {
    refused++;
    return;
  }
  opened++;
  exercise(arena);
}

const good = original();
const files = road.startsWith('open');
const harm = [0, 1, 2, 8, 15, 31, 0xffffffff, 0x7fffffff, 0x80000000];

switch (way) {
  case 'header bits':
    for (let at = 0; at < 256; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = good.slice();
        bytes[at] ^= 1 << bit;
        run(bytes, `bit ${bit} of byte ${at}`);
      }
    }
    break;
  case 'some bytes':
    for (let at = 256; at < good.length; at += 1 + below(31)) {
      const bytes = good.slice();
      bytes[at] ^= 1 << below(8);
      run(bytes, `byte ${at} became ${bytes[at]}`);
    }
    break;
  case 'lengths':
    for (let length = 0; length < good.length; length += files ? 61 : 7) {
      run(good.slice(0, length), `cut off at ${length}`);
    }
    for (const more of [1, 63, 64, 4096]) {
      const bytes = new Uint8Array(good.length + more).fill(255);
      bytes.set(good);
      run(bytes, `${more} bytes more`);
    }
    break;
  default:
    // Words of the header and of the contents, set to numbers that are likely to do harm.
    for (let round = 0; round < 150; round++) {
      const bytes = good.slice();
      const words = new Uint32Array(bytes.buffer);
      const spoilt = [];
      for (let i = 0; i <= below(5); i++) {
        const at = below(4) === 0 ? 16 + below(24) : 64 + below(words.length - 64);
        const choices = [
          ...harm,
          below(2 ** 32),
          below(64),
          (below(64) << 4) | 15,
          words[below(words.length)],
        ];
        words[at] = choices[below(choices.length)];
        spoilt.push(`word ${at} = ${words[at]}`);
      }
      run(bytes, spoilt.join(', '));
    }
}
console.log(JSON.stringify({ opened, refused }));
