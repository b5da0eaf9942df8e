/** Structures behave as objects do: as a `Map`, they show no internals and can be frozen. */
import { inspect, isDeepStrictEqual } from 'node:util';
import { expect, it, vi } from 'vitest';
import { throws } from '../helpers/errors.js';
import { plain, type Description } from './description.js';

export function testObject({ name, Class, make, contents, operations }: Description): void {
  it('has no enumerable own properties', async () => {
    const structure = await make();
    expect(Object.keys(structure as object)).toEqual([]);
    const seen: string[] = [];
    for (const key in structure) seen.push(key);
    expect(seen).toEqual([]);
  });

  it('is deeply equal to a copy, and to nothing with other contents', async () => {
    const structure = await make();
    const copy = Class.fromBytes(structure.toBytes());
    expect(isDeepStrictEqual(structure, copy)).toBe(true);
    expect(copy).toEqual(structure);
    for (const { run, writes } of Object.values(operations)) {
      if (writes !== true) continue;
      const changed = Class.fromBytes(structure.toBytes());
      const before = contents(changed);
      run(changed);
      const same = isDeepStrictEqual(contents(changed), before);
      if (!same) expect(isDeepStrictEqual(structure, changed)).toBe(false);
    }
  });

  it('works when it is frozen', async () => {
    const frozen = Object.freeze(await make());
    for (const { run, result } of Object.values(operations)) {
      const fresh = Object.freeze(await make());
      const value = plain(run(fresh));
      if (result !== undefined && value !== fresh) expect(value).toEqual(result);
    }
    frozen.close();
    throws(() => frozen.byteLength, 'ERR_OFFHEAP_CLOSED');
  });

  it('throws ERR_OFFHEAP_OOM when memory is refused, and works when it is granted again', async () => {
    const structure = await make();
    const bytes = structure.toBytes();
    vi.stubGlobal('SharedArrayBuffer', function () {
      throw new RangeError('Array buffer allocation failed');
    });
    try {
      throws(() => Class.fromBytes(bytes), 'ERR_OFFHEAP_OOM');
      if (make.constructor.name !== 'AsyncFunction') throws(() => make(), 'ERR_OFFHEAP_OOM');
    } finally {
      vi.unstubAllGlobals();
    }
    expect(contents(Class.fromBytes(bytes))).toEqual(contents(structure));
    structure.validate();
  });

  it('cannot be cloned: tokens are posted instead', async () => {
    const structure = await make();
    expect(() => structuredClone(structure)).toThrow();
  });

  it('is written by JSON.stringify as a `Map` is, or as its toJSON says', async () => {
    const text = JSON.stringify(await make());
    expect(text.length).toBeLessThan(100_000);
    expect(() => JSON.parse(text)).not.toThrow();
  });

  it('inspects as its class with its contents, in short form when nested, and after close()', async () => {
    const structure = await make();
    expect(inspect(structure)).toContain(name);
    expect(inspect({ a: { b: structure } }, { depth: 0 }).length).toBeLessThan(200);
    expect(inspect(structure, { depth: -1 }).length).toBeLessThan(200);
    structure.close();
    expect(inspect(structure)).toBe(`${name} { closed }`);
    expect(Object.prototype.toString.call(structure)).toBe(`[object ${name}]`);
  });

  it('is made by subclasses as instances of the subclass', async () => {
    class Sub extends Class {}
    const structure = await make();
    const copies = [(Sub as any).fromBytes(structure.toBytes()), (Sub as any).attach(structure.share())];
    for (const copy of copies) {
      expect(copy).toBeInstanceOf(Sub);
      expect(contents(copy)).toEqual(contents(structure));
    }
  });

  it('throws a TypeError when a method is called on another object', async () => {
    const structure = await make();
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(Class.prototype))) {
      const method = descriptor.get ?? descriptor.value;
      if (key === 'constructor' || typeof method !== 'function') continue;
      // An asynchronous method rejects.
      const call = (): unknown => method.call({}, undefined);
      if (method.constructor.name === 'AsyncFunction') await expect(call()).rejects.toThrow(TypeError);
      else expect(call, key).toThrow(TypeError);
    }
    structure.close();
  });
}
