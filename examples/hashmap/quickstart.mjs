/** A HashMap is a Map with typed keys and values, outside the JavaScript heap. */
import assert from 'node:assert/strict';
import { HashMap } from 'offheap/hashmap';

const prices = new HashMap({ key: 'u32', value: 'f64' });
prices.set(4711, 19.99).set(815, 4.5);

assert.equal(prices.get(4711), 19.99);
assert.equal(prices.get(1), undefined);
assert.equal(prices.has(815), true);
assert.equal(prices.size, 2);

// The interface of Map, in insertion order.
assert.deepEqual([...prices.keys()], [4711, 815]);
for (const [article, price] of prices) console.log(`${article} costs ${price}`);

// update() counts with one lookup.
const words = new HashMap({ key: 'string', value: 'u32' });
for (const word of 'the quick fox and the lazy dog and the cat'.split(' ')) {
  words.update(word, (count) => (count ?? 0) + 1);
}
assert.equal(words.get('the'), 3);

// Other value types: text, bytes, JSON, and any JavaScript value.
const users = new HashMap({ key: 'string', value: 'json' });
users.set('ada', { born: 1815, tags: ['first'] });
assert.deepEqual(users.get('ada'), { born: 1815, tags: ['first'] });

// close() releases the memory at once; otherwise it is released when the map is collected.
prices.close();
words.close();
users.close();
