/**
 * A process has a limited number of memory mappings, and V8 ends it where one is refused: all
 * threads count.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { native } from '../../src/native.js';
import { throws } from '../helpers/errors.js';

const built = new URL('../../dist/region/region.js', import.meta.url).href;

/**
 * In a process of its own: what a worker finds when its parent has used up the share of growable
 * buffers.
 */
const script = `
  const { Worker } = await import('node:worker_threads');
  const { setTimeout: sleep } = await import('node:timers/promises');
  const { Region } = await import(${JSON.stringify(built)});
  const growable = (region) => region.buffer.growable;
  const make = () => Region.allocate(65_536, { hugePages: undefined, numaNode: undefined });
  let held = [];
  do held.push(make()); while (growable(held.at(-1)) && held.length < 60_000);
  console.log(held.length > 100, growable(held.at(-1)));
  const worker = new Worker(\`
    Promise.all([import('node:worker_threads'), import(${JSON.stringify(built)})]).then(([{ parentPort }, { Region }]) => {
      const held = [];
      const make = () => Region.allocate(65_536, { hugePages: undefined, numaNode: undefined });
      for (let i = 0; i < 1_000; i++) held.push(make());
      parentPort.postMessage(held.filter((region) => region.buffer.growable).length);
    });\`, { eval: true });
  console.log((await new Promise((resolve) => worker.once('message', resolve))) < 100);
  await worker.terminate();
  held = [];
  for (let i = 0; i < 50 && !growable(make()); i++) { gc(); await sleep(50); }
  console.log(growable(make()));
`;

describe.skipIf(process.platform !== 'linux')('memory mappings', () => {
  const limit = process.platform === 'linux' ? Number(readFileSync('/proc/sys/vm/max_map_count', 'utf8')) : 0;

  // Where the system allows millions it would take too long to make them.
  it.skipIf(limit > 200_000)('that one thread has made are missed by the others, until they are gone', () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--expose-gc', '--input-type=module', '-e', script],
      { encoding: 'utf8', timeout: 50_000 },
    );
    expect({ lines: stdout.trim().split('\n'), stderr, status }).toEqual({
      lines: ['true false', 'true', 'true'],
      stderr: '',
      status: 0,
    });
  });

  it('are granted while there are enough', async () => {
    expect(native().mappingsReserve(2, 75)).toBe(true);
    expect(native().mappingsReserve(limit, 75)).toBe(false);
    expect(native().mappingsReserve(1, 0)).toBe(false);
    expect(native().mappingsReserve(Math.floor(limit / 2), 75)).toBe(true);
    await sleep(150); // The mappings were not made, and a count that may be wrong is taken again.
    expect(native().mappingsReserve(Math.floor(limit / 2), 75)).toBe(true);
  });

  it('are asked for by number', () => {
    for (const wrong of [-1, 1.5, NaN, 2 ** 32]) {
      throws(() => native().mappingsReserve(wrong, 75), 'ERR_OFFHEAP_RANGE');
      throws(() => native().mappingsReserve(1, wrong), 'ERR_OFFHEAP_RANGE');
    }
    throws(() => native().mappingsReserve('1' as never, 75), 'ERR_OFFHEAP_TYPE');
  });
});
