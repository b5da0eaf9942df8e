/** Saving writes the bytes of a map. Opening maps the file and parses nothing. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HashMap } from 'offheap/hashmap';

const folder = await mkdtemp(join(tmpdir(), 'offheap-example-'));
const path = join(folder, 'capitals.offheap');

const capitals = new HashMap({ key: 'string', value: 'string' }, [
  ['France', 'Paris'],
  ['Japan', '東京'],
  ['Peru', 'Lima'],
]);
// Atomic: the file is written under a temporary name, synced, and renamed over the target.
await capitals.save(path, { onProgress: ({ done, total }) => console.log(`${done} of ${total} bytes`) });
capitals.close();

// The schema comes from the file; `mode: 'r'` is the default.
const opened = HashMap.open(path);
assert.equal(opened.get('Japan'), '東京');
// open() never causes reads out of bounds, whatever the bytes are. validate() verifies the
// contents.
opened.validate();
opened.close();

// 'rw' is copy-on-write: the file is unchanged until the next save.
const draft = HashMap.open(path, { mode: 'rw' });
draft.set('Kenya', 'Nairobi');
assert.equal(HashMap.open(path).has('Kenya'), false);
await draft.save(path);
assert.equal(HashMap.open(path).get('Kenya'), 'Nairobi');
draft.close();
await rm(folder, { recursive: true });
