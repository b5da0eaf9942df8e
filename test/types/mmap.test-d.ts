/** The types of offheap/mmap. Checked, never run. */
import { describe, expectTypeOf, test } from 'vitest';
import {
  MappedFile,
  MmapVector,
  type Cursor,
  type NumberArray,
  type Pattern,
  type Strategy,
} from '../../src/mmap/index.js';

describe('MappedFile', () => {
  test('has typed results', () => {
    using file = MappedFile.open('path', { mode: 'rw', pattern: 'random', populate: true, lock: true });
    expectTypeOf(file.strategy).toEqualTypeOf<Strategy>();
    expectTypeOf(file.size).toEqualTypeOf<number>();
    expectTypeOf(file.bytes).toEqualTypeOf<Uint8Array>();
    expectTypeOf(file.slice(0, 1)).toEqualTypeOf<Uint8Array>();
    expectTypeOf(file.readMany([0], 8)).toEqualTypeOf<Uint8Array>();
    expectTypeOf(file.readMany).parameter(0).toEqualTypeOf<NumberArray | Iterable<number>>();
    expectTypeOf(file.advise).parameter(0).toEqualTypeOf<Pattern>();
    expectTypeOf(file.refresh()).toEqualTypeOf<number>();
    expectTypeOf(file.cursor()).toEqualTypeOf<Cursor>();
    expectTypeOf(file.cursor().readF64()).toEqualTypeOf<number>();
    expectTypeOf(file.cursor().readU64()).toEqualTypeOf<bigint>();
    expectTypeOf(file.cursor().readString()).toEqualTypeOf<string>();
  });

  test('rejects unknown options', () => {
    // @ts-expect-error there is no such mode
    MappedFile.open('path', { mode: 'w' });
    // @ts-expect-error there is no such pattern
    MappedFile.open('path', { pattern: 'backwards' });
    // @ts-expect-error files are opened
    new MappedFile('path');
  });
});

describe('MmapVector', () => {
  test('has elements of its type', () => {
    using vector = MmapVector.create('path', 'f64', { capacity: 3, pattern: 'sequential' });
    expectTypeOf(vector).toEqualTypeOf<MmapVector<'f64'>>();
    expectTypeOf(vector.at(0)).toEqualTypeOf<number | undefined>();
    expectTypeOf(vector.view).toEqualTypeOf<Float64Array>();
    expectTypeOf(vector.flush()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(vector.flushSync()).toBeVoid();
    expectTypeOf(vector.recovered).toEqualTypeOf<boolean>();
    expectTypeOf(MmapVector.open<'u64'>('path', { mode: 'rw', ...MmapVector.cache() }).pop()).toEqualTypeOf<
      bigint | undefined
    >();
    // @ts-expect-error text is not a number
    vector.push('1');
    // @ts-expect-error there is no such type
    MmapVector.create('path', 'string');
    // @ts-expect-error files are created or opened
    new MmapVector('path');
  });
});
