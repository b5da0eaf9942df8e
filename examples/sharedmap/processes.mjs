/**
 * Two processes write one map in a file. One of them is killed; the other one goes on, and a third
 * one starts with everything that was stored.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { SharedMap } from 'offheap/sharedmap';

const OPTIONS = { key: 'u32', value: 'string', maxBytes: 4 * 2 ** 20 };

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'offheap-processes-'));
  const path = join(folder, 'answers');
  try {
    const map = SharedMap.open(path, OPTIONS);
    const child = fork(new URL(import.meta.url), ['write', path]);
    for (let id = 0; id < 2000; id += 2) map.set(id, `parent ${id}`);
    await once(child, 'message'); // the child has stored its entries, and goes on
    child.kill('SIGKILL');
    await once(child, 'exit');

    assert.equal(map.get(999), 'child 999');
    map.validate();
    const { entries, repairs } = map.stats();
    map.close();

    const reader = fork(new URL(import.meta.url), ['read', path]);
    const [answer] = await once(reader, 'message');
    assert.deepEqual(answer, ['parent 998', 'child 999']);
    console.log(`${entries} entries of two processes, ${repairs} repairs after SIGKILL; reopened: ${answer}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [, , task, path] = process.argv;
if (process.platform !== 'linux') {
  console.log('maps in files need Linux');
} else if (task === 'write') {
  const map = SharedMap.open(path);
  for (let id = 1; id < 2000; id += 2) map.set(id, `child ${id}`);
  process.send('stored');
  for (let id = 1; ; id = (id + 2) % 2000) map.set(id, `child ${id}`); // until it is killed
} else if (task === 'read') {
  const map = SharedMap.open(path, { mode: 'r' });
  process.send([map.get(998), map.get(999)]);
  map.close();
  process.disconnect();
} else {
  await main();
}
