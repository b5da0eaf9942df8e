/**
 * A process that feeds spoilt regions to HashMap and does everything with what comes out. It ends
 * well, or it crashes, hangs or prints an error that is none of ours: its parent sees all three.
 * The last case is kept in a file.
 *
 *   node hostile.mjs <folder of dist> <scratch folder> <road> <schema> <way>
 */
import { ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

const [dist, scratch, road, schema, way] = process.argv.slice(2);
const { HashMap, OffheapError } = await import(join(dist, 'hashmap', 'index.js'));

const last = openSync(join(scratch, 'last'), 'w');
function note(text) {
  ftruncateSync(last, 0);
  writeSync(last, text, 0);
}

let random = 12345;
const below = (limit) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};

const [keyType, valueType] = schema.split(' ');
const key = (n) => {
  if (keyType === 'string') return n % 5 === 0 ? `\ud800${n}` : n % 3 === 0 ? `ключ ${n}` : `key ${n}`;
  return keyType === 'u64' ? BigInt(n) << 30n : n;
};
const value = (n) => {
  if (valueType === 'string') return `value ${n}`.repeat(n % 4);
  return valueType === 'json' ? { n: [n, `${n}`] } : n & 127;
};

/** A map with deleted entries and a slot table, so that each section has contents. */
function original() {
  const map = new HashMap({ key: keyType, value: valueType });
  for (let n = 0; n < 26; n++) map.set(key(n), value(n));
  map.handlesOf([key(1), key(2)]);
  map.delete(key(3));
  map.shrinkToFit();
  for (let n = 30; n < 36; n++) map.set(key(n), value(n));
  for (let n = 5; n < 9; n++) map.delete(key(n));
  map.set(key(1), value(77));
  const bytes = map.toBytes();
  // Without the checksum, which would find out everything that is to be tried here.
  new Uint32Array(bytes.buffer).fill(0, 7, 9);
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

const KEYS = Array.from({ length: 40 }, (_, n) => key(n));

/** Everything that can be done with a map. */
function exercise(map) {
  const handles = attempt(() => map.handlesOf(KEYS)) ?? new Float64Array(8).fill(2 ** 32);
  attempt(() => map.size);
  for (let n = 0; n < 36; n += 5) {
    attempt(() => map.get(key(n)));
    attempt(() => map.has(key(n)));
    attempt(() => map.handleOf(key(n)));
    attempt(() => map.getByHandle(handles[n % handles.length]));
    attempt(() => map.keyByHandle(2 ** 32 + n));
  }
  for (const list of [() => map.keys(), () => map.values(), () => map.entries()]) {
    attempt(() => {
      let steps = 0;
      for (const item of list()) if (++steps > 100_000) throw new Error(`no end, at ${String(item)}`);
    });
  }
  attempt(() => map.forEach(() => undefined));
  attempt(() => map.getMany(KEYS));
  attempt(() => map.hasMany(KEYS));
  attempt(() => map.getManyByHandle(handles));
  attempt(() => map.columns());
  attempt(() => inspect(map));
  attempt(() => map.stats());
  attempt(() => map.validate());
  attempt(() => HashMap.fromBytes(map.toBytes()).size);
  attempt(() => map.share());
  // From here on it changes, if it may.
  for (let n = 0; n < 50; n += 7) {
    attempt(() => map.set(key(n), value(n + 1)));
    attempt(() => map.setByHandle(handles[n % handles.length], value(n)));
    attempt(() => map.delete(key(n + 1)));
  }
  attempt(() => map.update(key(4), () => value(4)));
  attempt(() =>
    map.setMany(
      KEYS,
      KEYS.map((_, n) => value(n)),
    ),
  );
  attempt(() => map.deleteMany(KEYS.slice(0, 9)));
  attempt(() => map.reserve(60));
  for (let n = 100; n < 140; n++) attempt(() => map.set(key(n), value(n)));
  attempt(() => map.shrinkToFit());
  attempt(() => map.columns());
  attempt(() => map.validate());
  attempt(() => HashMap.fromBytes(map.toBytes()).get(key(2)));
  attempt(() => map.clear());
  for (let n = 0; n < 20; n++) attempt(() => map.set(key(n), value(n)));
  attempt(() => map.get(key(5)));
  map.close();
}

const path = join(scratch, 'spoilt');
function open(bytes) {
  if (road === 'fromBytes') return HashMap.fromBytes(bytes);
  if (road === 'attach') {
    const buffer = new SharedArrayBuffer(Math.max(bytes.length, 1));
    new Uint8Array(buffer).set(bytes);
    // A rearrangement that never ends is waited for, half a minute long: not here.
    if (buffer.byteLength >= 28) new Uint8Array(buffer)[24] &= ~1;
    return HashMap.attach({ offheap: 'hashmap', buffer });
  }
  writeFileSync(path, bytes);
  return HashMap.open(path, { mode: road === 'open rw' ? 'rw' : 'r' });
}

/** Each case costs a file to write and map. */
const files = road.startsWith('open');
let opened = 0;
let refused = 0;
function run(bytes, description) {
  note(`${road} ${schema} ${description}`);
  const map = attempt(() => open(bytes));
  if (map === undefined) {
    refused++;
    return;
  }
  opened++;
  exercise(map);
}

const good = original();
/** Header and index. */
const structure = 256 + 64 * new Uint32Array(good.buffer)[18];

function spoil() {
  switch (way) {
    case 'all bits':
      for (let at = 0; at < structure; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const bytes = good.slice();
          bytes[at] ^= 1 << bit;
          run(bytes, `bit ${bit} of byte ${at}`);
        }
      }
      return;
    case 'some bytes':
      for (let at = 0; at < good.length; at += 1 + below(files ? 24 : 9)) {
        const bytes = good.slice();
        bytes[at] ^= 1 << below(8);
        run(bytes, `byte ${at} became ${bytes[at]}`);
      }
      return;
    case 'lengths':
      for (let length = 0; length < good.length; length += 29) {
        run(good.slice(0, length), `truncated to ${length}`);
      }
      for (const more of [1, 63, 64, 4096]) {
        const bytes = new Uint8Array(good.length + more).fill(255);
        bytes.set(good);
        run(bytes, `${more} bytes more`);
      }
      return;
    default:
      // Words of the header and entries of the tables, set to numbers that are likely to do harm.
      for (let round = 0; round < (files ? 500 : 1200); round++) {
        const bytes = good.slice();
        const words = new Uint32Array(bytes.buffer);
        const spoilt = [];
        for (let i = 0; i <= below(4); i++) {
          const at = below(3) === 0 ? 6 + below(28) : 16 + below(words.length - 16);
          const choices = [
            0,
            1,
            2,
            12,
            26,
            0xffffffff,
            0x7fffffff,
            0x80000000,
            below(2 ** 32),
            words[below(words.length)],
          ];
          words[at] = choices[below(choices.length)];
          spoilt.push(`word ${at} = ${words[at]}`);
        }
        run(bytes, spoilt.join(', '));
      }
  }
}

spoil();
console.log(JSON.stringify({ opened, refused }));
