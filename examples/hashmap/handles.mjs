/** A handle identifies an entry as long as it exists, across growth and deletions of others. */
import assert from 'node:assert/strict';
import { HashMap } from 'offheap/hashmap';

const scores = new HashMap({ key: 'string', value: 'i32' });
scores.set('ada', 10).set('grace', 20);

// Handles are plain numbers, which can be stored in typed arrays and sent to other threads.
const ada = scores.handleOf('ada');
scores.setByHandle(ada, scores.getByHandle(ada) + 1);
assert.equal(scores.get('ada'), 11);
assert.equal(scores.keyByHandle(ada), 'ada');

// Handles stay valid when the map grows.
for (let i = 0; i < 10_000; i++) scores.set(`player ${i}`, i);
scores.delete('grace');
assert.equal(scores.getByHandle(ada), 11);

// After its entry is deleted, a handle stays stale, even if the key is inserted again.
scores.delete('ada');
scores.set('ada', 1);
assert.equal(scores.hasHandle(ada), false);
assert.equal(scores.getByHandle(ada), undefined);
assert.throws(() => scores.setByHandle(ada, 2), { code: 'ERR_OFFHEAP_STALE' });
console.log('a stale handle is rejected');
scores.close();
