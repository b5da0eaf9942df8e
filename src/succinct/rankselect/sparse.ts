/**
 * The variant for few ones or few zeros: stores only their positions, as an Elias-Fano sequence.
 * `native/core/src/succinct/rankselect/sparse.rs` does the same.
 */
import { layoutOf } from '../eliasfano/layout.js';
import { Sequence } from '../eliasfano/sequence.js';
import { ONES, type Engine, type Target } from './engine.js';
import { sparseShape, type Shape } from './layout.js';

export class Sparse implements Engine {
  private readonly positions: Sequence;
  /** Whether they are the positions of zeros. */
  private readonly zeros: boolean;
  private readonly length: number;

  /** `start`: the offset of the sequence in the buffer. */
  constructor(buffer: ArrayBufferLike, start: number, shape: Shape) {
    const { count, zeros } = sparseShape(shape);
    const layout = layoutOf(count, shape.last, 0);
    this.positions = new Sequence(buffer, {
      ...layout,
      upper: start,
      ones: layout.ones + start,
      zeros: layout.zeros + start,
      low: layout.low + start,
      bytes: layout.bytes + start,
    });
    this.zeros = zeros;
    this.length = shape.length;
  }

  bit(position: number): number {
    return this.positions.has(position) === this.zeros ? 0 : 1;
  }

  rank(position: number): number {
    const { positions } = this;
    const rank =
      position > positions.max || positions.length === 0 ? positions.length : positions.rank(position);
    return this.zeros ? position - rank : rank;
  }

  select(k: number, target: Target): number {
    const { positions } = this;
    const stored = (target === ONES) !== this.zeros;
    // A result above the length occurs only in corrupt bytes.
    return Math.min(stored ? positions.at(k) : positions.missing(k), this.length);
  }
}
