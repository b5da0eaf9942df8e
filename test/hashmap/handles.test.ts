/** Handles: alive exactly as long as their entry, whatever happens to the others. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap, type Handle } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';
import { KEY_TYPES, keyOf, type AnyMap } from '../helpers/samples.js';
import { header, sections, unseal, WORD } from '../helpers/words.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-handles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The last generation that a slot can have; a slot that reaches it is retired. */
const LAST = 2 ** 21 - 1;

const slotOf = (handle: number): number => handle >>> 0;
const generationOf = (handle: number): number => Math.floor(handle / 2 ** 32);

function numbers(count: number): HashMap<'u32', 'f64'> {
  const map = new HashMap({ key: 'u32', value: 'f64' });
  for (let n = 0; n < count; n++) map.set(n, n / 2);
  return map;
}

/** The same contents after `change` wrote to the region's bytes. */
function tampered<M extends AnyMap>(map: M, change: (words: Uint32Array, bytes: Uint8Array) => void): M {
  const bytes = unseal(map.toBytes());
  change(header(bytes), bytes);
  return HashMap.fromBytes(bytes) as unknown as M;
}

describe('a handle', () => {
  it.each(KEY_TYPES)(
    'of %s keys names its entry through growth, compaction and the deletion of others',
    (key) => {
      for (const value of ['f64', 'string', 'any'] as const) {
        const map: AnyMap = new HashMap({ key, value });
        const make = (n: number): unknown => (value === 'string' ? `value ${n}` : n);
        const handles: Handle[] = [];
        for (let n = 0; n < 50; n++) handles.push(map.set(keyOf(key, n), make(n)).handleOf(keyOf(key, n))!);
        expect(new Set(handles).size).toBe(50);
        for (let n = 0; n < 50; n++) if (n % 3 !== 0) map.delete(keyOf(key, n));
        for (let n = 1000; n < 1600; n++) map.set(keyOf(key, n), make(n));
        for (let n = 1000; n < 1600; n++) if (n % 5 !== 0) map.delete(keyOf(key, n));
        map.shrinkToFit();
        map.reserve(2000);
        for (let n = 0; n < 50; n++) {
          const alive = n % 3 === 0;
          expect(map.hasHandle(handles[n])).toBe(alive);
          expect(map.getByHandle(handles[n])).toBe(alive ? make(n) : undefined);
          expect(map.keyByHandle(handles[n])).toEqual(alive ? keyOf(key, n) : undefined);
          if (alive) expect(map.handleOf(keyOf(key, n))).toBe(handles[n]);
        }
        map.validate();
      }
    },
  );

  it('is stale after deletion, also when its slot is reused', () => {
    const map = numbers(20);
    const old = map.handleOf(7)!;
    map.delete(7);
    expect(map.hasHandle(old)).toBe(false);
    map.set(7, 70);
    expect(map.getByHandle(old)).toBeUndefined();
    const fresh = map.handleOf(7)!;
    expect(fresh).not.toBe(old);
    for (let round = 0; round < 100; round++) {
      map.shrinkToFit();
      map.delete(7);
      map.set(7, round);
      expect(map.getByHandle(old)).toBeUndefined();
      expect(map.getByHandle(fresh)).toBeUndefined();
    }
    map.validate();
  });

  it('is stale after clear, also when the map is filled the same way again', () => {
    for (const compact of [false, true]) {
      const map = numbers(20);
      const handles = map.handlesOf([...map.keys()]);
      if (compact) {
        map.delete(0);
        map.shrinkToFit(); // from here on there is a slot table
        expect(map.stats().slots).toBeGreaterThan(0);
      }
      map.clear();
      expect(map.stats().slots).toBe(0);
      for (let n = 0; n < 20; n++) map.set(n, n);
      const again = map.handlesOf([...map.keys()]);
      for (const handle of handles) expect(map.hasHandle(handle as Handle)).toBe(false);
      for (const handle of again) expect([...handles]).not.toContain(handle);
      map.validate();
    }
  });

  it('is stale after clear in a map with strings and a slot table', () => {
    const map = new HashMap({ key: 'string', value: 'string' });
    for (let n = 0; n < 30; n++) map.set(`key ${n}`, `value ${n}`);
    const handle = map.handleOf('key 5')!;
    map.delete('key 1');
    map.shrinkToFit();
    map.clear();
    expect(map.hasHandle(handle)).toBe(false);
    for (let n = 0; n < 200; n++) map.set(`key ${n}`, `value ${n}`);
    map.validate();
    expect([...map.values()]).toEqual(Array.from({ length: 200 }, (_, n) => `value ${n}`));
  });

  it('sets values, and throws ERR_OFFHEAP_STALE after its entry was deleted', () => {
    const map = new HashMap({ key: 'string', value: 'string' }, [
      ['a', 'x'],
      ['b', 'y'],
    ]);
    const handle = map.handleOf('a')!;
    // Each value makes the last one garbage, so the heap is rebuilt many times.
    for (let n = 0; n < 100; n++) {
      expect(map.setByHandle(handle, 'v'.repeat(n * 7))).toBe(map);
      expect(map.get('a')).toHaveLength(n * 7);
    }
    map.delete('a');
    throws(() => map.setByHandle(handle, 'z'), 'ERR_OFFHEAP_STALE', new RegExp(String(handle)));
    map.set('a', 'new');
    throws(() => map.setByHandle(handle, 'z'), 'ERR_OFFHEAP_STALE');
    throws(() => map.setByHandle(map.handleOf('a')!, 5 as never), 'ERR_OFFHEAP_TYPE');
    expect([...map]).toEqual([
      ['b', 'y'],
      ['a', 'new'],
    ]);
    map.validate();
  });

  it('of a missing key is undefined, and -1 in bulk', () => {
    const map = numbers(3);
    expect(map.handleOf(99)).toBeUndefined();
    expect([...map.handlesOf([99, 1, 98])]).toEqual([-1, map.handleOf(1), -1]);
    expect(map.getByHandle(-1 as Handle)).toBeUndefined();
  });
});

describe('forged handles', () => {
  const forged = [
    NaN,
    Infinity,
    -Infinity,
    -1,
    -0,
    0,
    1,
    0.5,
    2 ** 32,
    2 ** 32 + 0.5,
    2 ** 53,
    2 ** 53 - 1,
    1e300,
    -(2 ** 32),
  ];

  it('are stale in a map that returned none', () => {
    const map = new HashMap({ key: 'u32', value: 'f64' });
    for (const handle of forged) expect(map.hasHandle(handle as Handle)).toBe(false);
  });

  it.each([false, true])('name only the entry that they were returned for (slot table: %s)', (slots) => {
    const map = numbers(20);
    const real = new Set<number>(map.handlesOf([...map.keys()]));
    if (slots) {
      map.delete(3);
      map.shrinkToFit();
      expect(map.stats().slots).toBeGreaterThan(0);
    }
    const before = map.toBytes();
    for (const base of [...real, ...forged]) {
      for (const handle of [
        base,
        base + 0.5,
        -base,
        base * 2,
        base + 2 ** 32,
        base - 2 ** 32,
        base + 2 ** 52,
      ]) {
        const live = real.has(handle) && !(slots && slotOf(handle) === 3);
        expect(map.hasHandle(handle as Handle), String(handle)).toBe(live);
        expect(map.getByHandle(handle as Handle) !== undefined).toBe(live);
        expect(map.keyByHandle(handle as Handle) !== undefined).toBe(live);
        const out = Float64Array.of(-7);
        map.getManyByHandle(Float64Array.of(handle), out);
        expect(out[0] !== -7).toBe(live);
        if (!live) throws(() => map.setByHandle(handle as Handle, 1), 'ERR_OFFHEAP_STALE');
      }
    }
    expect(map.toBytes()).toEqual(before);
  });

  it.each([undefined, null, '1', 4294967296n, {}, [], true, Symbol('handle')])('%o is no handle', (value) => {
    const map = numbers(3);
    map.handleOf(1);
    const before = map.toBytes();
    throws(() => map.getByHandle(value as never), 'ERR_OFFHEAP_TYPE');
    throws(() => map.keyByHandle(value as never), 'ERR_OFFHEAP_TYPE');
    throws(() => map.hasHandle(value as never), 'ERR_OFFHEAP_TYPE');
    throws(() => map.setByHandle(value as never, 1), 'ERR_OFFHEAP_TYPE');
    throws(() => map.getManyByHandle([value] as never), 'ERR_OFFHEAP_TYPE');
    expect(map.toBytes()).toEqual(before);
  });
});

describe('generations', () => {
  it('increase in a copy for a slot that its owner was about to free', () => {
    const map = numbers(12);
    map.handleOf(0);
    map.delete(11);
    map.reserve(100); // which makes the slot table
    const reader = HashMap.attach<'u32', 'f64'>(map.share());
    const handle = map.handleOf(5)!;
    const bytes = new Uint8Array(map.share().buffer!);
    const { entryOfSlot, generations } = sections(bytes, 4, 8);
    const at = [generations.at / 4 + slotOf(handle), entryOfSlot.at / 4 + slotOf(handle), WORD.freeSlot];
    const words = new Uint32Array(bytes.buffer);
    const before = at.map((word) => words[word]);
    map.delete(5);
    // As it was when all of the deletion was done but its last step.
    at.forEach((word, i) => (words[word] = before[i]));
    const copy = HashMap.fromBytes<'u32', 'f64'>(reader.toBytes());
    copy.validate();
    for (let n = 50; n < 60; n++) expect(slotOf(copy.set(n, n).handleOf(n)!)).toBeLessThan(100);
    expect([copy.hasHandle(handle), copy.getByHandle(handle)]).toEqual([false, undefined]);
    expect([...copy.keys()]).toEqual(
      [...numbers(11).keys(), ...Array.from({ length: 10 }, (_, i) => 50 + i)].filter((n) => n !== 5),
    );
    copy.close();
  });

  it('retire a slot that reaches the last one', () => {
    let map = numbers(13);
    map.handleOf(0);
    map.delete(12);
    map.shrinkToFit();
    map.reserve(13);
    // Slot 12 is free: the next entry takes it, in a generation that is nearly the last.
    const free = header(map.toBytes())[WORD.freeSlot] - 1;
    expect(free).toBe(12);
    map = tampered(map, (_, bytes) => {
      const { generations } = sections(bytes, 4, 8);
      new Uint32Array(bytes.buffer, generations.at, free + 1)[free] = LAST - 1;
    });
    map.validate();
    map.set(500, 5);
    const last = map.handleOf(500)!;
    expect(slotOf(last)).toBe(free);
    expect(generationOf(last)).toBe(LAST - 1);
    expect(last).toBeLessThan(2 ** 53);
    map.delete(500);
    expect(map.hasHandle(last)).toBe(false);
    map.validate();
    const seen = new Set<number>();
    for (let n = 600; n < 700; n++) {
      map.set(n, n);
      const handle = map.handleOf(n)!;
      expect(slotOf(handle)).not.toBe(free);
      expect(seen.has(handle)).toBe(false);
      seen.add(handle);
      map.delete(n);
    }
    map.validate();
    for (let n = 1000; n < 1200; n++) map.set(n, n);
    expect(map.hasHandle(last)).toBe(false);
    map.validate();
  });

  it('retire all slots one after another, while insertion creates new ones', () => {
    let map = numbers(12);
    map.handleOf(0);
    map.delete(11);
    map.shrinkToFit();
    for (let round = 0; round < 30; round++) {
      map = tampered(map, (words, bytes) => {
        const { generations } = sections(bytes, 4, 8);
        const free = words[WORD.freeSlot];
        if (free > 0) new Uint32Array(bytes.buffer, generations.at, free)[free - 1] = LAST - 1;
      });
      map.set(900 + round, round);
      const handle = map.handleOf(900 + round)!;
      expect(map.getByHandle(handle)).toBe(round);
      map.delete(900 + round);
      expect(map.hasHandle(handle)).toBe(false);
      map.validate();
    }
    expect(map.size).toBe(11);
    expect(map.stats().slots).toBeGreaterThan(12);
  });

  it('end direct handles of the last epoch by growth, and begin again at 1 after clear', () => {
    const last = tampered(numbers(12), (words) => {
      words[WORD.epoch] = LAST;
    });
    last.validate();
    const handle = last.handleOf(5)!;
    expect(generationOf(handle)).toBe(LAST);
    last.delete(4);
    last.shrinkToFit();
    expect(last.getByHandle(handle)).toBe(2.5);
    for (let n = 100; n < 200; n++) last.set(n, n);
    const handles = last.handlesOf([...last.keys()]);
    expect(new Set(handles).size).toBe(last.size);
    expect(Math.max(...handles)).toBeLessThan(2 ** 53);
    last.delete(5);
    expect(last.hasHandle(handle)).toBe(false);
    last.validate();
    last.clear();
    expect(header(last.toBytes())[WORD.epoch]).toBe(1);
    last.set(1, 1);
    expect(generationOf(last.handleOf(1)!)).toBe(1);
    last.validate();
  });

  it('begin an epoch after clear above the generation of every slot', () => {
    let map = numbers(12);
    map.handleOf(0);
    map.delete(11);
    map.shrinkToFit();
    map = tampered(map, (_, bytes) => {
      const { generations } = sections(bytes, 4, 8);
      new Uint32Array(bytes.buffer, generations.at, 4)[3] = 5000;
    });
    const handle = map.handleOf(3)!;
    expect(generationOf(handle)).toBe(5000);
    map.clear();
    map.set(0, 0);
    expect(generationOf(map.handleOf(0)!)).toBe(5001);
    expect(map.hasHandle(handle)).toBe(false);
  });
});

describe('handles across copies and threads', () => {
  it.each([false, true])('stay valid in bytes and files (slot table: %s)', async (slots) => {
    const map = numbers(30);
    const handles = map.handlesOf([...map.keys()]) as unknown as Handle[];
    if (slots) {
      map.delete(4);
      map.shrinkToFit();
    }
    const path = join(folder, `handles-${slots}`);
    await map.save(path);
    const copies = [HashMap.fromBytes(map.toBytes()), HashMap.open(path), HashMap.open(path, { mode: 'rw' })];
    for (const copy of copies as HashMap<'u32', 'f64'>[]) {
      handles.forEach((handle, n) => {
        const alive = !(slots && n === 4);
        expect(copy.getByHandle(handle)).toBe(alive ? n / 2 : undefined);
        expect(copy.hasHandle(handle)).toBe(alive);
      });
      copy.close();
    }
  });

  it('from a file stay valid after its first change', async () => {
    const path = join(folder, 'late');
    await numbers(20).save(path);
    const map = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' });
    const handle = map.handleOf(10)!;
    map.delete(3);
    map.shrinkToFit();
    expect(map.getByHandle(handle)).toBe(5);
    expect(map.handleOf(10)).toBe(handle);
    map.validate();
  });

  it('from a reader of a shared map stay valid after changes by the owner', () => {
    const owner = numbers(20);
    const reader = HashMap.attach<'u32', 'f64'>(owner.share());
    const handle = reader.handleOf(10)!;
    owner.delete(3);
    for (let n = 100; n < 300; n++) owner.set(n, n);
    expect(owner.getByHandle(handle)).toBe(5);
    expect(reader.getByHandle(handle)).toBe(5);
    expect([...reader.handlesOf([10, 3, 100])]).toEqual([handle, -1, owner.handleOf(100)]);
    owner.delete(10);
    expect(reader.hasHandle(handle)).toBe(false);
  });
});
