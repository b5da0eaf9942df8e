/** The sum of finite numbers was NaN or infinite if a partial sum overflowed. */
import { describe, expect, it } from 'vitest';
import { Vector } from '../../src/vector/index.js';

const MAX = Number.MAX_VALUE;

describe('the sum of a vector', () => {
  it.each([
    [[MAX, MAX, -MAX, -MAX], 0],
    [[1e308, 1e308, -1e308], 1e308],
    [[...new Array<number>(100).fill(1e308), ...new Array<number>(100).fill(-1e308), 1e300], 1e300],
    [[MAX, MAX], Infinity],
    [[-MAX, -MAX], -Infinity],
    // With infinities, the sum is that of ordinary addition.
    [[MAX, MAX, -Infinity], NaN],
    [[1, 2, -Infinity], -Infinity],
    [[Infinity, -Infinity, MAX], NaN],
    [[MAX, NaN, MAX], NaN],
  ])('of %j is %d', (values, sum) => {
    expect(Vector.from('f64', values).sum()).toBe(sum);
  });
});
