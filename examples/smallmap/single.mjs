/**
 * A standalone SmallMap: all of Map, with types. Its memory is released by close, at the end of a
 * block, or by the garbage collector.
 */
import assert from 'node:assert/strict';
import { SmallMap } from 'offheap/smallmap';

const headers = new SmallMap({ key: 'string', value: 'u32' }, [['content-length', 512]]);
headers.set('age', 30);
assert.deepEqual([...headers.keys()], ['content-length', 'age']);
assert.equal(
  headers.update('age', (age = 0) => age + 1),
  31,
);
assert.throws(() => headers.set('age', -1), { code: 'ERR_OFFHEAP_RANGE' });
console.log(headers);

headers.close();
assert.throws(() => headers.get('age'), { code: 'ERR_OFFHEAP_CLOSED' });
