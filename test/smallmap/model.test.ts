/**
 * SmallMapArena compared with an array of plain Maps: the same random operations on both, for every
 * key type and every value type, with all results compared. After each batch the order of entries
 * is compared and the region is validated.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmallMapArena, type SmallMapId } from '../../src/smallmap/index.js';
import {
  SMALL_KEY_TYPES,
  SMALL_VALUE_TYPES,
  type SmallKeyType,
  type SmallValueType,
} from '../../src/smallmap/schema.js';
import { throws } from '../helpers/errors.js';
import { arbitrary } from '../helpers/samples.js';
import type { AnyArena } from './arenas.js';
import { normal, smallKey } from './arenas.js';

/** An arena, and the plain Maps that it must equal. */
class Pair {
  readonly maps = new Map<SmallMapId, Map<unknown, unknown>>();
  readonly stale: SmallMapId[] = [];
  arena: AnyArena;

  constructor(
    readonly key: SmallKeyType,
    readonly value: SmallValueType,
    seed: bigint,
  ) {
    this.arena = new SmallMapArena({ key, value, capacity: 2, seed }) as AnyArena;
  }

  pick(n: number): [SmallMapId, Map<unknown, unknown>] {
    if (this.maps.size === 0) this.create();
    const all = [...this.maps];
    return all[n % all.length];
  }

  create(): void {
    const id = this.arena.create();
    expect(this.maps.has(id)).toBe(false);
    expect(this.stale).not.toContain(id);
    this.maps.set(id, new Map());
  }

  compare(): void {
    const { arena } = this;
    expect(arena.count).toBe(this.maps.size);
    expect(new Set(arena.ids())).toEqual(new Set(this.maps.keys()));
    for (const [id, plain] of this.maps) {
      expect(arena.size(id)).toBe(plain.size);
      expect([...arena.entries(id)]).toEqual([...plain]);
      expect([...arena.keys(id)]).toEqual([...plain.keys()]);
      expect([...arena.values(id)]).toEqual([...plain.values()]);
      for (const [key, value] of plain) {
        expect(arena.get(id, key)).toEqual(value);
        expect(arena.has(id, key)).toBe(true);
      }
      if (plain.size > 8) expect(arena.promoted(id)).toBe(true);
    }
    for (const id of this.stale) throws(() => arena.get(id, smallKey(this.key, 0)), 'ERR_OFFHEAP_STALE');
    arena.validate();
  }
}

function operation(pair: Pair, op: readonly [number, number, unknown, unknown]): void {
  const { arena, maps, stale } = pair;
  const [kind, which, rawKey, rawValue] = op;
  const key = normal(pair.key, rawKey);
  const value = normal(pair.value, rawValue, true);
  const [id, plain] = pair.pick(which);
  if (kind < 55) {
    arena.set(id, rawKey, rawValue);
    plain.set(key, value);
  } else if (kind < 75) {
    const victim = plain.size > 0 && kind < 70 ? [...plain.keys()][which % plain.size] : key;
    expect(arena.delete(id, victim)).toBe(plain.delete(victim));
  } else if (kind < 84) {
    expect(arena.get(id, rawKey)).toEqual(plain.get(key));
    expect(arena.has(id, rawKey)).toBe(plain.has(key));
  } else if (kind < 90) {
    pair.create();
  } else if (kind < 92) {
    arena.clear(id);
    plain.clear();
    expect(arena.promoted(id)).toBe(false);
  } else if (kind < 95) {
    arena.release(id);
    maps.delete(id);
    stale.push(id);
  } else if (kind === 95) {
    arena.shrinkToFit();
  } else if (kind === 96) {
    pair.arena = SmallMapArena.fromBytes(arena.toBytes()) as AnyArena;
  } else if (kind === 97) {
    arena.reserve(maps.size + 3);
  } else {
    const ids = [...maps.keys()];
    const many = ids.flatMap((each) => [each, each]);
    const keys = many.map((_, i) => (i % 2 === 0 ? rawKey : smallKey(pair.key, i)));
    arena.setMany(
      many,
      keys,
      many.map(() => rawValue),
    );
    many.forEach((each, i) => maps.get(each)!.set(normal(pair.key, keys[i]), value));
    const out = arena.getMany(many, keys, new Array(many.length).fill('untouched'));
    expect(out).toEqual(many.map((each, i) => maps.get(each)!.get(normal(pair.key, keys[i])) ?? 'untouched'));
  }
}

describe('an arena behaves like an array of Maps', () => {
  for (const key of SMALL_KEY_TYPES) {
    for (const value of SMALL_VALUE_TYPES) {
      // Every value type with one key type, every key type with a few value types.
      if (key !== 'u32' && key !== 'u8' && key !== 'string' && !['f64', 'u8', 'string'].includes(value))
        continue;
      it(`from ${key} to ${value}`, () => {
        // Few distinct keys, so that they collide, and occasionally any key.
        const keys = fc.oneof(
          { weight: 5, arbitrary: fc.nat(14).map((n) => smallKey(key, n)) },
          { weight: 1, arbitrary: arbitrary(key) },
        );
        const op = fc.tuple(fc.nat(99), fc.nat(1000), keys, arbitrary(value));
        fc.assert(
          fc.property(
            fc.array(fc.array(op, { maxLength: 60 }), { maxLength: 5 }),
            fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
            (batches, seed) => {
              const pair = new Pair(key, value, seed);
              for (const batch of batches) {
                for (const step of batch) operation(pair, step);
                pair.compare();
              }
            },
          ),
          { numRuns: 25 },
        );
      });
    }
  }
});

/** The operations of Map during an iteration, the same on both sides, step by step. */
describe('iteration during changes agrees with Map', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('next' as const) },
    { weight: 2, arbitrary: fc.nat(12).map((n) => ['set', n] as const) },
    { weight: 3, arbitrary: fc.nat(12).map((n) => ['delete', n] as const) },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
    { weight: 1, arbitrary: fc.constant('fit' as const) },
  );
  for (const first of [0, 2, 6, 8, 12]) {
    it(`from ${first} entries`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 50 }), fc.nat(3), (steps, others) => {
          const arena = new SmallMapArena({ key: 'u32', value: 'u32', capacity: 1 });
          for (let i = 0; i < others; i++) arena.set(arena.create(), i, i);
          const id = arena.create();
          const plain = new Map<number, number>();
          for (let n = 0; n < first; n++) {
            arena.set(id, n, n);
            plain.set(n, n);
          }
          const ours = [arena.entries(id), arena.keys(id)];
          const theirs = [plain.entries(), plain.keys()];
          let time = 100;
          for (const each of steps) {
            if (each === 'next') {
              ours.forEach((iterator, i) => expect(iterator.next()).toEqual(theirs[i].next()));
            } else if (each === 'clear') {
              arena.clear(id);
              plain.clear();
            } else if (each === 'fit') {
              arena.shrinkToFit();
            } else if (each[0] === 'set') {
              arena.set(id, each[1], time);
              plain.set(each[1], time++);
            } else {
              expect(arena.delete(id, each[1])).toBe(plain.delete(each[1]));
            }
          }
          ours.forEach((iterator, i) => expect([...iterator]).toEqual([...theirs[i]]));
          arena.validate();
        }),
        { numRuns: 150 },
      );
    });
  }
});
