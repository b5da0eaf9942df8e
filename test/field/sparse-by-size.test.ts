/** `variant: 'auto'` of RankSelect chose plain bits where the sparse variant took far less. */
import { describe, expect, it } from 'vitest';
import { BitVector, RankSelect } from '../../src/succinct/index.js';

function every(step: number): BitVector {
  return BitVector.fromIndices(Float64Array.from({ length: Math.floor(200_000 / step) }, (_, i) => i * step));
}

describe("RankSelect with variant 'auto'", () => {
  it.each([3, 5, 7, 9, 12, 16, 20, 40, 100])(
    'is sparse exactly where it takes a third less: 1/%d',
    (step) => {
      const bits = every(step);
      const [auto, flat, sparse] = (['auto', 'flat', 'sparse'] as const).map((variant) =>
        RankSelect.from(bits, { variant }),
      );
      const saves = sparse.toBytes().length <= (flat.toBytes().length * 2) / 3;
      expect(auto.variant).toBe(saves ? 'sparse' : 'flat');
    },
  );
});
