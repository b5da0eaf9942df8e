/** A saved map is its bytes. Opening maps the file and parses nothing. */
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
// Whole or not at all: written beside the target, synced, then renamed over it.
await capitals.save(path, { onProgress: ({ done, total }) => console.log(`${done} of ${total} bytes`) });
capitals.close();

// The schema comes from the file; `mode: 'r'` is the default.
const opened = HashMap.open(path);
assert.equal(opened.get('Japan'), '東京');
// open() never reads out of bounds, whatever the bytes are. validate() also proves the contents.
opened.validate();
opened.close();

// 'rw' is copy-on-write: the file stays as it is until the next save.
const draft = HashMap.open(path, { mode: 'rw' });
draft.set('Kenya', 'Nairobi');
assert.equal(HashMap.open(path).has('Kenya'), false);
await draft.save(path);
assert.equal(HashMap.open(path).get('Kenya'), 'Nairobi');
draft.close();
await rm(folder, { recursive: true });
