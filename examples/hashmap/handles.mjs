/** Handles name an entry for as long as it lives, through growth and the deletion of others. */
import assert from 'node:assert/strict';
import { HashMap } from 'offheap/hashmap';

const scores = new HashMap({ key: 'string', value: 'i32' });
scores.set('ada', 10).set('grace', 20);

// Plain numbers: they can be kept in typed arrays and sent anywhere.
const ada = scores.handleOf('ada');
scores.setByHandle(ada, scores.getByHandle(ada) + 1);
assert.equal(scores.get('ada'), 11);
assert.equal(scores.keyByHandle(ada), 'ada');

// Growth moves nothing that a handle could notice.
for (let i = 0; i < 10_000; i++) scores.set(`player ${i}`, i);
scores.delete('grace');
assert.equal(scores.getByHandle(ada), 11);

// After its entry is gone, a handle is stale for good, even if the key comes back.
scores.delete('ada');
scores.set('ada', 1);
assert.equal(scores.hasHandle(ada), false);
assert.equal(scores.getByHandle(ada), undefined);
assert.throws(() => scores.setByHandle(ada, 2), { code: 'ERR_OFFHEAP_STALE' });
console.log('a stale handle is refused');
scores.close();
