/**
 * The cost of a full garbage collection while the service is loaded, and the memory of the service.
 * Each side runs in a process of its own, so that neither affects the other.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { answers, heading, megabytes, ms } from '../lib/screen.mjs';

export const title = 'Garbage collector';

/** @returns {Promise<{ pauseMs: number, heap: number, bytes: number }>} */
function inProcess(side) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('../resident.mjs', import.meta.url)), [side]);
    let answer;
    child.once('message', (message) => (answer = message));
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0 && answer !== undefined) resolve(answer);
      else reject(new Error(`the process with the ${side} tables exited with ${code}`));
    });
  });
}

export async function run() {
  heading(title);
  const ours = await inProcess('offheap');
  const plain = await inProcess('plain');
  answers([
    ['measured', 'full collections with all data alive, in one process per side'],
    ['on the heap', `${megabytes(ours.heap)} with offheap, ${megabytes(plain.heap)} in plain JavaScript`],
  ]);
  return [
    {
      label: 'pause of a full collection',
      ours: ms(ours.pauseMs),
      plain: ms(plain.pauseMs),
      ratio: plain.pauseMs / ours.pauseMs,
    },
    {
      label: 'memory, on the heap and off',
      ours: megabytes(ours.bytes),
      plain: megabytes(plain.bytes),
      ratio: plain.bytes / ours.bytes,
    },
  ];
}
