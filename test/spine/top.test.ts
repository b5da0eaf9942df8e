/** `offheap top` and `offheap inspect` of SharedMaps: the screen, and the commands as processes. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bar, keyText, ratesOf, screen, type Frame } from '../../src/cli/top-screen.js';
import { packageRoot } from '../../src/native.js';
import { SharedMap } from '../../src/sharedmap/index.js';

const main = join(packageRoot(), 'dist', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'offheap-top-'));
afterAll(() => rmSync(folder, { recursive: true }));

function offheap(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const STATS = {
  entries: 1_234_567,
  usedBytes: 3 << 20,
  maxBytes: 4 << 20,
  contentBytes: 1 << 20,
  freeBytes: 100,
  indexBytes: 2048,
  hits: 900,
  misses: 100,
  sets: 50,
  deletes: 5,
  evictions: 4,
  expired: 3,
  lockWaits: 2,
  repairs: 1,
  participants: 1,
  expiring: 0,
  buckets: 10,
  shards: 4,
};
const FRAME: Frame = {
  path: '/tmp/map',
  time: 1_700_000_000_000,
  stats: STATS,
  policy: 'auto',
  hotKeys: [{ key: 'hot', count: 640 }],
  participants: [{ pid: 4321, thread: 7, attached: 1_600_000_000_000, hits: 900, misses: 100 }],
};
const later = (changes: Partial<typeof STATS>): Frame => ({
  ...FRAME,
  time: FRAME.time + 2000,
  stats: { ...STATS, ...changes },
});

describe('the screen', () => {
  it('shows totals first, and then rates per second', () => {
    const first = screen(FRAME, undefined, 100).join('\n');
    expect(first).toMatch(/entries +1,234,567 +policy +auto/);
    expect(first).toContain('3 MiB of 4 MiB, 75.0 %');
    expect(first).toMatch(/hit rate +90\.0 % +gets\/s +-/);
    expect(first).toMatch(/ 4321 +7 +900 +100 +2020-09-13T12:26:40\.000Z/);
    expect(first).toMatch(/ 640 +"hot"/);
    const second = screen(later({ hits: 1000, sets: 250 }), FRAME, 100).join('\n');
    expect(second).toMatch(/hit rate +100\.0 % +gets\/s +50$/m);
    expect(second).toMatch(/sets\/s +100 +deletes\/s +0$/m);
  });

  it('has no rate below 0 when a participant leaves with its counts', () => {
    const rates = ratesOf(later({ hits: 0, misses: 0 }), FRAME);
    expect(rates).toMatchObject({ gets: 0, hitRate: NaN });
  });

  it.each([20, 40, 79, 100, 200])('fits into %i columns, and any number of rows', (width) => {
    const hotKeys = [{ key: 'k'.repeat(500), count: 1 }];
    const frame: Frame = { ...FRAME, path: `/tmp/${'p'.repeat(300)}`, hotKeys, note: 'n'.repeat(300) };
    for (const line of screen(frame, FRAME, width)) expect(line.length).toBeLessThanOrEqual(width);
    for (const rows of [1, 5, 24]) expect(screen(frame, FRAME, width, rows).length).toBeLessThanOrEqual(rows);
  });

  it('draws a bar for each share', () => {
    expect([-1, 0, 0.5, 1, 7].map((share) => bar(share, 6))).toEqual([
      '[    ]',
      '[    ]',
      '[##  ]',
      '[####]',
      '[####]',
    ]);
    expect(bar(NaN, -5)).toBe('[ ]');
  });

  it('passes no control character of a key to the terminal', () => {
    for (const key of ['\x1b[2J', 'a\nb', '\x9b31m', '\u202edlrow', '\u2028', '\ud800']) {
      // eslint-disable-next-line no-control-regex -- these are the characters in question
      expect(keyText(key)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\ud800-\udfff]/);
    }
    expect(keyText(Uint8Array.of(1, 255))).toBe('<01ff>');
    expect([keyText(12n), keyText(1.5)]).toEqual(['12', '1.5']);
  });
});

function makeMap(name: string, entries: number): { path: string; map: SharedMap<'string', 'f64'> } {
  const path = join(folder, name);
  const map = SharedMap.open(path, { key: 'string', value: 'f64', maxBytes: 1 << 20, create: true });
  for (let i = 0; i < entries; i++) map.set(`key ${i}`, i);
  return { path, map };
}

describe.runIf(process.platform === 'linux')('offheap top', () => {
  it('prints frames, as text and as JSON, and changes nothing', async () => {
    const { path, map } = makeMap('frames', 1000);
    for (let i = 0; i < 1000; i++) map.get('key 7');
    const bytes = readFileSync(path);
    const text = await offheap('top', path, '--count', '2', '--interval', '20');
    expect([text.code, text.stderr]).toEqual([0, '']);
    expect(text.stdout.match(/^offheap top /gm)).toHaveLength(2);
    expect(text.stdout).toMatch(/entries +1,000/);
    expect(text.stdout).toContain('"key 7"');
    expect(text.stdout).toContain(String(process.pid));
    expect(text.stdout).not.toContain('\x1b');
    const json = await offheap('top', path, '--count', '1', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      path,
      policy: 'auto',
      stats: { entries: 1000, hits: 1000 },
      participants: [{ pid: process.pid, hits: 1000 }],
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    map.close();
  });

  it('goes on when the file is deleted or replaced, and ends with code 0 on SIGINT', async () => {
    const { path, map } = makeMap('moved', 10);
    const child = spawn(process.execPath, [main, 'top', path, '--interval', '20']);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const until = async (text: RegExp): Promise<void> => {
      while (!text.test(output)) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await until(/entries +10 /);
    rmSync(path);
    await until(/the file was deleted/);
    const other = makeMap('other', 25);
    other.map.close();
    renameSync(other.path, path);
    await until(/the file was replaced[^]*entries +25 /);
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(0);
    map.close();
  });

  it('reports files that it cannot open in one line', async () => {
    const garbage = join(folder, 'garbage');
    writeFileSync(garbage, 'no map');
    for (const path of [join(folder, 'absent'), garbage, folder]) {
      const { code, stdout, stderr } = await offheap('top', path, '--count', '1');
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^offheap: .+ \(ERR_OFFHEAP_\w+\)\n$/);
    }
  });

  it.each([
    [['top'], 'top needs a file'],
    [['top', 'a', 'b'], 'unexpected argument: b'],
    [['top', 'a', '--count', '0'], '--count must be an integer from 1'],
    [['top', 'a', '--interval', 'x'], '--interval must be an integer from 1'],
    [['doctor', '--count', '1'], 'are options of top'],
  ])('called as %j reports the error on stderr, with exit code 2', async (args, message) => {
    const { code, stderr } = await offheap(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe.runIf(process.platform === 'linux')('offheap inspect', () => {
  it('shows the figures of a map that is open, and of its snapshot', async () => {
    const { path, map } = makeMap('inspected', 500);
    const found = JSON.parse((await offheap('inspect', path, '--json')).stdout) as object;
    expect(found).toMatchObject({
      kind: 'sharedmap',
      contents: { key: 'string', value: 'f64', policy: 'auto', entries: 500, attached: 1 },
    });
    const saved = join(folder, 'snapshot');
    await map.save(saved);
    map.close();
    expect(JSON.parse((await offheap('inspect', saved, '--json')).stdout)).toMatchObject({
      kind: 'sharedmap snapshot',
      checksum: 'correct',
      contents: { key: 'string', value: 'f64', maxBytes: 1 << 20, entries: 500 },
    });
    const bytes = readFileSync(saved);
    bytes[100] ^= 1;
    writeFileSync(saved, bytes);
    expect((await offheap('inspect', saved)).stdout).toMatch(/checksum +wrong/);
    writeFileSync(saved, bytes.subarray(0, 50));
    expect(await offheap('inspect', saved)).toMatchObject({ code: 1, stdout: '' });
  });

  it('shows how many entries have which size', async () => {
    const { path, map } = makeMap('sizes', 300);
    map.set('k'.repeat(500), 1);
    const sizes = map.sizes();
    map.close();
    const found = JSON.parse((await offheap('inspect', path, '--json')).stdout) as object;
    const lines = sizes.map(({ bytes, entries }) => `up to ${bytes} bytes: ${entries} entries`);
    expect(lines.length).toBeGreaterThan(1);
    expect(found).toMatchObject({ contents: { entries: 301, attached: 0, sizes: lines.join('\n') } });
    const empty = makeMap('no sizes', 0);
    empty.map.close();
    expect((await offheap('inspect', empty.path)).stdout).toMatch(/sizes +no entries/);
  });

  it.each([0, 8, 55, 300, 5000, -1])('reads a file of which %i bytes are there', async (length) => {
    const { path, map } = makeMap(`cut ${length}`, 300);
    const saved = join(folder, `cut snapshot ${length}`);
    await map.save(saved);
    map.close();
    for (const file of [path, saved]) {
      writeFileSync(file, readFileSync(file).subarray(0, length));
      const { code, stdout, stderr } = await offheap('inspect', file);
      if (code === 0)
        expect(stdout).toMatch(/figures +none: .+truncated|checksum +wrong[^]*unknown: the file/);
      else
        expect([code, stderr]).toEqual([1, expect.stringMatching(/^offheap: .+ \(ERR_OFFHEAP_CORRUPT\)\n$/)]);
    }
  });
});
