/** Millions of small maps: an arena, ids instead of objects, and the Map interface on request. */
import assert from 'node:assert/strict';
import { SmallMapArena } from 'offheap/smallmap';

// How often each user bought which article: article -> count.
const arena = new SmallMapArena({ key: 'u32', value: 'u16' });
const users = Array.from({ length: 1000 }, () => arena.create());

arena.set(users[7], 4711, 1).set(users[7], 815, 2);
arena.set(users[7], 4711, arena.get(users[7], 4711) + 1);
assert.deepEqual(
  [...arena.entries(users[7])],
  [
    [4711, 2],
    [815, 2],
  ],
);
assert.equal(arena.get(users[8], 4711), undefined);

// The interface of Map for one of the maps.
const seven = arena.map(users[7]);
for (const [article, times] of seven) if (times > 1) seven.delete(article);
assert.equal(seven.size, 0);

// A ninth entry moves a map to a hash table that all maps share. clear moves it back.
for (let article = 0; article < 100; article++) seven.set(article, 1);
assert.ok(arena.promoted(users[7]));
seven.clear();
assert.equal(arena.promoted(users[7]), false);

// Ids are valid until their map is released, and are never reused.
arena.release(users[7]);
const next = arena.create();
assert.throws(() => arena.get(users[7], 1), { code: 'ERR_OFFHEAP_STALE' });
assert.equal(arena.size(next), 0);

console.log(`${arena.count} maps in ${arena.shrinkToFit().byteLength} bytes`);
arena.close();
