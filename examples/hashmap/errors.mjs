/** Errors have a stable code, and an operation that throws changes nothing. */
import assert from 'node:assert/strict';
import { OffheapError } from 'offheap';
import { HashMap } from 'offheap/hashmap';

const ages = new HashMap({ key: 'string', value: 'u8' });
ages.set('ada', 36);

// 300 does not fit into a u8: a RangeError, as in JavaScript, and an OffheapError with a code.
try {
  ages.set('ada', 300);
  assert.fail('300 was accepted');
} catch (error) {
  assert(error instanceof RangeError);
  assert(error instanceof OffheapError);
  assert.equal(error.code, 'ERR_OFFHEAP_RANGE');
  console.log(`${error.code}: ${error.message}`);
}
assert.equal(ages.get('ada'), 36);

assert.throws(() => ages.set('ada', 'old'), TypeError);
assert.throws(() => new HashMap({ key: 'string', value: 'u8', kapacity: 9 }), { code: 'ERR_OFFHEAP_TYPE' });
assert.throws(() => HashMap.fromBytes(new Uint8Array(4096)), { code: 'ERR_OFFHEAP_CORRUPT' });

ages.close();
assert.throws(() => ages.get('ada'), { code: 'ERR_OFFHEAP_CLOSED' });
