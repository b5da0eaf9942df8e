/**
 * Under `ulimit -v` a few structures used to take the last of the address space, and V8 ended the
 * process when it needed some.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { native } from '../../src/native.js';

const from = (name: string): string =>
  JSON.stringify(new URL(`../../dist/${name}/index.js`, import.meta.url).href);

/** Runs a module in a process with 3 GB of address space; bare Node takes one of them. */
function limited(body: string): { output: string; status: number | null } {
  const program = `
    const { HashMap } = await import(${from('hashmap')});
    const { Vector } = await import(${from('vector')});
    const { BumpArena } = await import(${from('pools')});
    const keep = [];
    const until = (limit, make) => {
      try {
        while (keep.length < limit) keep.push(make());
      } catch (error) {
        return error.code;
      }
    };
    ${body}
    const more = Array.from({ length: 100 }, () => new Array(50_000).fill(1)).length;
    console.log('survived', more);`;
  const { stdout, stderr, status } = spawnSync(
    'sh',
    ['-c', 'ulimit -v 3000000; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', program],
    { encoding: 'utf8', timeout: 60_000 },
  );
  return { output: stdout + stderr, status };
}

describe.skipIf(process.platform !== 'linux')('a process with little address space', () => {
  const survived = (first: string): object => ({ output: `${first}\nsurvived 100\n`, status: 0 });

  it('survives shared structures, which reserve less', () => {
    const body = `
      console.log(until(8, () => { const map = new HashMap({ key: 'u32', value: 'f64' }); map.share(); return map; }));`;
    expect(limited(body)).toEqual(survived('undefined'));
  });

  it('survives large vectors, which reserve less', () => {
    const body = `
      const elements = new Float64Array(600_000).fill(2);
      console.log(until(16, () => Vector.from('f64', elements)), keep[15].at(599_999));`;
    expect(limited(body)).toEqual(survived('undefined 2'));
  });

  it('gets ERR_OFFHEAP_OOM from share() while V8 still has room', () => {
    const body = `
      console.log(until(4000, () => {
        const map = new HashMap({ key: 'u32', value: 'f64', capacity: 200_000 });
        map.share();
        return map;
      }), keep.length > 20, keep.every((map) => map.size === 0));`;
    expect(limited(body)).toEqual(survived('ERR_OFFHEAP_OOM true true'));
  });

  it('has arenas, which grow as far as their reservation', () => {
    const body = `
      console.log(until(8, () => new BumpArena({ chunkBytes: 2 ** 20 })), keep[7].alloc(1000));`;
    expect(limited(body)).toEqual(survived('undefined 0'));
  });
});

describe('the address space', () => {
  it('is infinite, or limited with a part of it left', () => {
    const [limit, left] = native().addressSpace();
    expect(limit).toBeGreaterThan(2 ** 30);
    expect(left).toBeLessThanOrEqual(limit);
    expect(left).toBeGreaterThan(0);
  });
});
