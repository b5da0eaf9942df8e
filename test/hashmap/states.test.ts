/**
 * Maps in the states that a map can be in: the text of inspect, columns and other maps after
 * close(), and values that cannot leave the process. (test/kit runs every operation in each state.)
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { rejected, throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-states-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

type Numbers = HashMap<'u32', 'f64'>;

const entries = Array.from({ length: 30 }, (_, n) => [n, n / 2] as [number, number]);
const fill = (): Numbers => new HashMap({ key: 'u32', value: 'f64' }, entries);

async function saved(): Promise<string> {
  const path = join(folder, `${files++}.bin`);
  await fill().save(path);
  return path;
}

describe('inspecting a map', () => {
  it('shows its types, its size and its first entries, owned, attached or on a file', async () => {
    const owner = fill();
    const maps = [owner, HashMap.attach(owner.share()), HashMap.open(await saved())];
    for (const map of maps) {
      expect(inspect(map)).toMatch(/^HashMap<u32, f64>\(30\) \{\s+0 => 0,\s+1 => 0\.5,/);
      expect(inspect({ map }, { depth: 0 })).toBe('{ map: [HashMap<u32, f64>(30)] }');
      expect(inspect(map, { maxArrayLength: 1 })).toMatch(/0 => 0, \.\.\. 29 more/);
    }
  });
});

describe('closing a map', () => {
  it('keeps columns of memory readable, and those of a file safe to read', async () => {
    const map = fill();
    const { values } = map.columns();
    map.close();
    expect(values[4]).toBe(2);
    const file = HashMap.open<'u32', 'f64'>(await saved());
    const columns = file.columns();
    expect(columns.values[4]).toBe(2);
    file.close();
    expect([undefined, 0, 2]).toContain(columns.values[4]);
  });

  it('leaves the file unchanged after writes to its columns', async () => {
    const path = await saved();
    const before = readFileSync(path);
    const file = HashMap.open<'u32', 'f64'>(path);
    const { keys, values } = file.columns();
    values[4] = 77;
    file.getMany(keys, values);
    file.close();
    expect(readFileSync(path)).toEqual(before);
  });

  it('does not affect the other maps on the same bytes', async () => {
    const owner = fill();
    const [first, second] = [owner.share(), owner.share()].map((token) =>
      HashMap.attach<'u32', 'f64'>(token),
    );
    first.close();
    expect(second.get(4)).toBe(2);
    owner.close();
    expect(second.get(4)).toBe(2);
    second.validate();
    const path = await saved();
    const [one, two] = [HashMap.open<'u32', 'f64'>(path), HashMap.open<'u32', 'f64'>(path, { mode: 'rw' })];
    one.close();
    two.set(4, 5);
    expect(two.get(4)).toBe(5);
    expect(HashMap.open<'u32', 'f64'>(path).get(4)).toBe(2);
  });
});

describe('a map with values of type any', () => {
  it('rejects share(), save() and toBytes() with ERR_OFFHEAP_UNSUPPORTED', async () => {
    const map = new HashMap({ key: 'u32', value: 'any' }, [[1, Symbol('x')]]);
    throws(() => map.share(), 'ERR_OFFHEAP_UNSUPPORTED', /any/);
    throws(() => map.toBytes(), 'ERR_OFFHEAP_UNSUPPORTED', /any/);
    expect((await rejected(map.save(join(folder, 'any')))).code).toBe('ERR_OFFHEAP_UNSUPPORTED');
  });
});
