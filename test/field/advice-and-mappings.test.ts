/**
 * Advice about huge pages and NUMA nodes, and locks, used to split mappings without asking how many
 * the process may still have, and V8 ended the process when none was left.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'offheap-locks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'file');
writeFileSync(file, Buffer.alloc(8192));

const from = (name: string): string => JSON.stringify(new URL(`../../dist/${name}.js`, import.meta.url).href);

function run(body: string): { output: string; status: number | null } {
  const program = `
    const { Vector } = await import(${from('vector/index')});
    const { MappedFile } = await import(${from('mmap/index')});
    const { native } = await import(${from('native')});
    const keep = [];
    ${body}
    const more = Array.from({ length: 200 }, () => new Array(100_000).fill(1)).length;
    console.log('survived', more);`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { output: stdout + stderr, status };
}

const limit = process.platform === 'linux' ? Number(readFileSync('/proc/sys/vm/max_map_count', 'utf8')) : 0;
const mappings = `
  const { readFileSync } = await import('node:fs');
  const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').length;
  const most = ${limit} * 0.8;`;

// Where the system allows millions it would take too long to make them.
describe.skipIf(process.platform !== 'linux' || limit > 200_000)('a process with many structures', () => {
  it('leaves advice about huge pages out before its mappings run out', { timeout: 100_000 }, () => {
    const body = `${mappings}
      for (let i = 0; i < 40_000; i++) keep.push(new Vector('u8', { capacity: 70_000, hugePages: true }));
      console.log(keep.length, mappings() < most);`;
    expect(run(body)).toEqual({ output: '40000 true\nsurvived 200\n', status: 0 });
  });

  it('is refused NUMA nodes with ERR_OFFHEAP_OOM before its mappings run out', { timeout: 100_000 }, () => {
    const body = `${mappings}
      let code;
      try {
        while (keep.length < 80_000) keep.push(new Vector('u8', { capacity: 70_000, numaNode: 0 }));
      } catch (error) {
        code = error.code;
      }
      console.log(keep.length > 1000, code, mappings() < most);`;
    const { output, status } = run(body);
    // A system without NUMA says so at the first.
    if (output.startsWith('false ERR_OFFHEAP_UNSUPPORTED')) return;
    expect({ output, status }).toEqual({ output: 'true ERR_OFFHEAP_OOM true\nsurvived 200\n', status: 0 });
  });

  it('is refused locks with ERR_OFFHEAP_OOM before its mappings run out', { timeout: 100_000 }, () => {
    const body = `${mappings}
      let code;
      try {
        while (keep.length < 80_000) keep.push(MappedFile.open(${JSON.stringify(file)}, { lock: keep.length % 2 === 0 }));
      } catch (error) {
        code = error.code;
      }
      console.log(code, mappings() < most);`;
    const { output, status } = run(body);
    // The limit of locked memory comes first for most users.
    if (output.startsWith('ERR_OFFHEAP_FULL true')) return;
    expect({ output, status }).toEqual({ output: 'ERR_OFFHEAP_OOM true\nsurvived 200\n', status: 0 });
  });
});
