/** The views of a rank/select region, and the engine of its variant. */
import { HEADER_BYTES } from '../../region/format.js';
import type { Region } from '../../region/region.js';
import { RegionTable } from '../../region/table.js';
import { Constant, type Engine } from './engine.js';
import { Flat } from './flat.js';
import { FlatWide } from './flat64.js';
import { Interleaved } from './interleaved.js';
import { readShape, WIDE_FROM_BITS, type VariantName } from './layout.js';
import { Sparse } from './sparse.js';

const NONE: Engine = new Constant(false);

export class RankSelectTable extends RegionTable<'rankselect'> {
  name: VariantName = 'constant';
  bits = 0;
  oneCount = 0;
  engine: Engine = NONE;
  /**
   * The engine if it is the default one, so that its calls are inlined whatever other variants a
   * program uses.
   */
  flat: Flat | undefined;
  /** The last position that may be read without a check; −1 for none. */
  direct = -1;

  get kind(): 'rankselect' {
    return 'rankselect';
  }
  get label(): string {
    return 'rank/select structure';
  }
  override get aligned(): boolean {
    return true;
  }

  bindViews(what: string): void {
    const { head, bytes, buffer, origin } = this.region;
    const shape = readShape(head, bytes.length, what);
    const { variant, length, ones, layout } = shape;
    const words = new Int32Array(buffer, bytes.byteOffset + HEADER_BYTES, (layout.length - HEADER_BYTES) / 4);
    this.name = variant;
    this.bits = length;
    this.oneCount = ones;
    this.flat = variant === 'flat' && length < WIDE_FROM_BITS ? new Flat(words, layout, length) : undefined;
    if (this.flat !== undefined) this.engine = this.flat;
    else if (variant === 'flat') this.engine = new FlatWide(words, layout, length);
    else if (variant === 'interleaved') this.engine = new Interleaved(words, layout, length);
    else if (variant === 'sparse') this.engine = new Sparse(buffer, bytes.byteOffset + HEADER_BYTES, shape);
    else this.engine = new Constant(ones !== 0);
    // The bytes never change, so readers on other threads need no validation. Only a file can
    // vanish.
    this.direct = origin === 'file' ? -1 : length;
  }

  dropViews(): void {
    this.engine = NONE;
    this.flat = undefined;
    this.direct = -1;
  }

  check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }
}
