/** The views of an Elias-Fano region. */
import type { Region } from '../../region/region.js';
import { RegionTable } from '../../region/table.js';
import { layoutOf, readLayout, type Layout } from './layout.js';
import { Sequence } from './sequence.js';

const EMPTY = layoutOf(0, 0);

export class EliasFanoTable extends RegionTable<'eliasfano'> {
  sequence = Sequence.EMPTY;
  layout: Layout = EMPTY;
  /** The number of values that may be read without a check. */
  direct = 0;

  get kind(): 'eliasfano' {
    return 'eliasfano';
  }
  get label(): string {
    return 'Elias-Fano sequence';
  }

  bindViews(what: string): void {
    const { region } = this;
    const layout = readLayout(region.head, region.bytes.length, what);
    this.layout = layout;
    this.sequence = new Sequence(region.buffer, layout);
    // The bytes never change, so readers on other threads need no validation. Only a file can
    // vanish.
    this.direct = region.origin === 'file' ? 0 : layout.length;
  }

  dropViews(): void {
    this.sequence = Sequence.EMPTY;
    this.direct = 0;
  }

  check(region: Region, length: number, what: string): void {
    readLayout(region.head, length, what);
  }
}
