/** The text of inspect for the immutable sequences of integers. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EliasFano, PackedInts } from '../../src/succinct/index.js';

const values = Array.from({ length: 1000 }, (_, i) => i * 7 + (i % 5));
const SEQUENCES = [
  { name: 'EliasFano', type: EliasFano, inspected: 'EliasFano(3) [ 1, 2, 300 ]' },
  { name: 'PackedInts', type: PackedInts, inspected: 'PackedInts(3) <9 bits> [ 1, 2, 300 ]' },
];

describe.each(SEQUENCES)('inspecting $name', ({ name, type, inspected }) => {
  it('shows its length and its first values', () => {
    expect(inspect(type.from([1, 2, 300]))).toBe(inspected);
    const long = inspect(type.from(values));
    expect(long).toContain(`${name}(1000)`);
    expect(long).toContain('900 more');
  });

  it('shows no values when nested', () => {
    const nested = { deep: { deeper: { deepest: type.from(values) } } };
    expect(inspect(nested, { depth: 1 })).not.toContain('more items');
  });

  it('is written as an empty object by JSON.stringify', () => {
    expect(JSON.stringify(type.from(values))).toBe('{}');
  });
});
