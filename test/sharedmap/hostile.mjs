/**
 * A process that overwrites words of a map's region and then runs every operation on it. It ends
 * well, or it crashes, hangs, or prints an error that is not an OffheapError; its parent notices
 * all three.
 *
 *   node hostile.mjs <folder of dist> <key type> <value type> <seed> <rounds>
 */
import { join } from 'node:path';

const [dist, key, value, seed, rounds] = process.argv.slice(2);
const { SharedMap, OffheapError } = await import(join(dist, 'sharedmap', 'index.js'));
let random = Number(seed);
const below = (limit) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};
const HARMFUL = [0, 1, 2, 3, 8, 31, 63, 64, 255, 0x7fffffff, 0x80000000, 2 ** 32 - 64, 2 ** 32 - 1];
const keyOf = (n) => (key === 'string' ? (n % 7 === 0 ? `key ${n}`.repeat(20) : `key ${n}`) : n);
const valueOf = (n) => {
  if (value === 'f64') return n / 2;
  if (value === 'string') return `value ${n}`.repeat(n % 40 === 0 ? 800 : n % 9);
  return n % 2 === 0 ? { n: [n, new Date(n)] } : n;
};
const counts = { run: 0, refused: 0 };
let last = '';

function attempt(call) {
  counts.run++;
  try {
    return call();
  } catch (error) {
    counts.refused++;
    if (error instanceof OffheapError && error.message.length > 5) return undefined;
    console.log(`after ${last}: ${call}`);
    throw error;
  }
}

/** A map with entries in all states, and the words of its region. */
function make() {
  const choose = (candidates) => candidates.slice(0, 3).map((candidate) => candidate.key);
  const isChosen = below(4) === 0;
  const map = new SharedMap({
    key,
    value,
    maxBytes: isChosen ? 1 << 17 : 1 << 19,
    seed: BigInt(below(1000)),
    ...(isChosen ? { choose } : {}),
  });
  for (let n = 0; n < 1500; n++) {
    map.set(
      keyOf(n),
      valueOf(n),
      n % 5 === 0 ? { ttl: 100_000 } : n % 11 === 0 ? { expiresAt: 1 } : undefined,
    );
  }
  for (let n = 0; n < 1500; n += 3) map.delete(keyOf(n));
  return map;
}

function exercise(map) {
  const handles = [];
  for (let n = 0; n < 1500; n += 37) {
    const k = keyOf(n);
    attempt(() => map.get(k));
    attempt(() => map.peek(k));
    attempt(() => map.has(k));
    attempt(() => map.entry(k));
    const handle = attempt(() => map.handleOf(k));
    if (handle !== undefined) handles.push(handle);
  }
  for (const handle of [...handles, 2 ** 31, 2 ** 40 + 5, 2 ** 53 - 1]) {
    attempt(() => map.getByHandle(handle));
    attempt(() => map.hasHandle(handle));
    attempt(() => map.keyByHandle(handle));
  }
  attempt(() => map.size);
  attempt(() => map.stats());
  attempt(() => {
    let count = 0;
    map.forEach(() => {
      if (++count > 200_000) throw new Error('the iteration does not end');
    });
  });
  attempt(() => map.validate());
  for (let n = 0; n < 1600; n += 23) {
    const k = keyOf(n);
    attempt(() => map.set(k, valueOf(n + 1)));
    attempt(() => map.add(keyOf(n + 1), valueOf(n)));
    attempt(() => map.delete(keyOf(n + 2)));
    attempt(() => map.touch(k, { ttl: 1000 }));
    attempt(() => map.getAndDelete(keyOf(n + 3)));
    if (value === 'f64') attempt(() => map.increment(k));
  }
  for (const handle of handles) {
    attempt(() => map.setByHandle(handle, valueOf(1)));
    attempt(() => map.deleteByHandle(handle));
  }
  for (let n = 2000; n < 2600; n++) attempt(() => map.set(keyOf(n), valueOf(n)));
  for (let n = 0; n < 400; n += 20) {
    attempt(() =>
      map.transaction((tx) => {
        const found = tx.get(keyOf(n));
        tx.set(keyOf(n + 1), found ?? valueOf(n));
        tx.delete(keyOf(n + 2));
      }),
    );
  }
  const subscription = attempt(() => map.subscribe(() => undefined));
  for (let n = 0; n < 60; n++) attempt(() => map.set(keyOf(n), valueOf(n)));
  attempt(() => subscription?.close());
  attempt(() => map.purgeExpired());
  attempt(() => map.clear());
  for (let n = 0; n < 50; n++) attempt(() => map.set(keyOf(n), valueOf(n)));
  attempt(() => map.get(keyOf(5)));
}

for (let round = 0; round < Number(rounds); round++) {
  const map = make();
  const { buffer } = map.share();
  const words = new Uint32Array(buffer);
  const changes = [];
  for (let i = 0; i <= below(6); i++) {
    const pick = below(4);
    // The constant header only before an attachment: the others have read it already.
    const at = pick === 0 ? 64 + below(1000) : pick === 1 ? below(words.length / 16) : below(words.length);
    if (at < 64) continue;
    const any = words[below(words.length)];
    const choices = [
      ...HARMFUL,
      below(2 ** 32),
      below(words.length),
      any,
      any + 1,
      words[at] ^ (1 << below(32)),
    ];
    words[at] = choices[below(choices.length)];
    changes.push(`word ${at} = ${words[at]}`);
  }
  last = `round ${round}: ${changes.join(', ')}`;
  exercise(map);
  map.close();
}

// Headers that are overwritten before an attachment.
for (let round = 0; round < Number(rounds) * 4; round++) {
  const map = make();
  const { buffer } = map.share();
  const words = new Uint32Array(buffer);
  const at = below(40);
  words[at] = HARMFUL[below(HARMFUL.length)];
  last = `header: word ${at} = ${words[at]}`;
  const other = attempt(() => SharedMap.attach({ offheap: 'sharedmap', buffer }));
  if (other !== undefined) {
    if (round % 8 === 0) exercise(other);
    attempt(() => other.close());
  }
  attempt(() => map.close());
}
console.log(JSON.stringify(counts));
