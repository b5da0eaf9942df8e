/**
 * The pool kit: the tests that every pool passes, run over its description. A pool behaves as an
 * object does, and each public member throws once the pool is closed.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { throws } from '../helpers/errors.js';
import { publicMembers } from './states.js';

export interface PoolDescription {
  /** The name of the class. */
  name: string;
  Class: any;
  /** Makes a pool with one allocated block. */
  make: () => any;
  /** Makes an instance of a subclass from another instance. */
  inherit: (Sub: any, pool: any) => any;
  /** Calls of every public member except those of {@link OWN_TESTS}. */
  operations: Record<string, (pool: any) => unknown>;
}

const VIEWS = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'u64', 'i64'];

/** Members that work on a closed pool. */
const OWN_TESTS: ReadonlySet<string> = new Set([
  'constructor',
  'close',
  'toJSON',
  'Symbol(Symbol.dispose)',
  'Symbol(Symbol.toStringTag)',
  'Symbol(nodejs.util.inspect.custom)',
  // Polyfilled names of the same symbol.
  String(Symbol.dispose),
  ...VIEWS,
]);

/** Operations that every pool has. */
export const COMMON_OPERATIONS: PoolDescription['operations'] = {
  alloc: (pool) => pool.alloc(8),
  tryAlloc: (pool) => pool.tryAlloc(8),
  free: (pool) => pool.free(pool.u8.length === 0 ? 0 : pool.alloc(8)),
  view: (pool) => pool.view(pool.u8.length === 0 ? 0 : pool.alloc(8), 8),
  acquire: (pool) => pool.acquire(8),
  stats: (pool) => pool.stats(),
  validate: (pool) => pool.validate(),
  share: (pool) => pool.share(),
  byteLength: (pool) => pool.byteLength,
};

export function describePool({ name, Class, make, inherit, operations }: PoolDescription): void {
  describe(`${name} as an object`, () => {
    it('has no enumerable properties with a string key', () => {
      const pool = make();
      expect(Object.keys(pool as object)).toEqual([]);
      const seen: string[] = [];
      for (const key in pool) seen.push(key);
      expect(seen).toEqual([]);
      expect(JSON.stringify(pool)).toBe('{}');
    });

    it('is deeply equal to itself, and not to a pool with other contents', () => {
      const [pool, changed] = [make(), make()];
      expect(isDeepStrictEqual(pool, pool)).toBe(true);
      changed.u8[0] ^= 1;
      expect(isDeepStrictEqual(pool, changed)).toBe(false);
      changed.close();
      expect(isDeepStrictEqual(pool, changed)).toBe(false);
    });

    it('works when it is frozen', () => {
      for (const run of Object.values(operations)) {
        const pool = Object.freeze(make());
        run(pool);
        pool.validate();
      }
      const pool = Object.freeze(make());
      pool.close();
      expect(pool.u8.length).toBe(0);
    });

    it('cannot be cloned: tokens are posted instead', () => {
      expect(() => structuredClone(make())).toThrow(/clone/i);
    });

    it('inspects as its class with its figures, in short form when nested, and after close()', () => {
      const pool = make();
      expect(inspect(pool)).toMatch(new RegExp(`^${name} \\{.*usedBlocks: 1`, 's'));
      expect(inspect(pool, { depth: -1 })).toBe(`[${name}]`);
      expect(Object.prototype.toString.call(pool)).toBe(`[object ${name}]`);
      pool.close();
      expect(inspect(pool)).toBe(`${name} { closed }`);
    });

    it('is made by subclasses as an instance of the subclass', () => {
      class Sub extends Class {}
      const pool = make();
      pool.u8[0] = 77;
      const other = inherit(Sub, pool);
      expect(other).toBeInstanceOf(Sub);
      expect(other.u8[0]).toBe(77);
    });

    it('throws a TypeError when a member is used on another object', () => {
      const foreign = new Set(['constructor', 'toJSON']);
      for (let proto = Class.prototype; proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
        for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(proto as object))) {
          const method = descriptor.get ?? descriptor.value;
          if (foreign.has(key) || typeof method !== 'function') continue;
          expect(() => method.call({}, 8), key).toThrow(TypeError);
        }
      }
    });
  });

  describe(`${name} after close()`, () => {
    it('has an operation in its description for each public member', () => {
      const missing = publicMembers(Class).filter(
        (member) => operations[member] === undefined && !OWN_TESTS.has(member),
      );
      expect(missing).toEqual([]);
    });

    it.each(Object.entries(operations))('rejects %s with ERR_OFFHEAP_CLOSED', (_, run) => {
      const pool = make();
      run(pool);
      pool.close();
      throws(() => run(pool), 'ERR_OFFHEAP_CLOSED', /closed/);
    });

    it('has empty views, and may be closed again', () => {
      const pool = make();
      const block = pool.acquire(8);
      expect(block.bytes.length).toBe(8);
      pool.close();
      pool.close();
      pool[Symbol.dispose]();
      for (const view of VIEWS) expect(pool[view].length, view).toBe(0);
    });
  });
}
