/** The views of a region of packed integers. */
import { HEADER_BYTES } from '../../region/format.js';
import type { Region } from '../../region/region.js';
import { RegionTable } from '../../region/table.js';
import { maskOf, nearFields } from '../fields.js';
import { fieldBytes, readShape } from './layout.js';

const NOTHING = new Int32Array(2);

export class PackedIntsTable extends RegionTable<'packedints'> {
  /** The integers, from the first word on. */
  words: Int32Array = NOTHING;
  bits = 1;
  /** The mask of the lowest `bits` bits; above 32 bits, of the bits beyond 32. */
  mask = 0;
  /** The number of integers that `at` may read without a check. */
  direct = 0;
  count = 0;
  bigint = false;

  get kind(): 'packedints' {
    return 'packedints';
  }
  get label(): string {
    return 'packed integers';
  }

  bindViews(what: string): void {
    const { region } = this;
    const { length, bits, bigint } = readShape(region.head, region.bytes.length, what);
    this.count = length;
    this.bits = bits;
    this.bigint = bigint;
    this.mask = maskOf(bits > 32 ? bits - 32 : bits);
    this.words = new Int32Array(region.buffer, HEADER_BYTES, fieldBytes(length, bits) / 4);
    // The bytes never change, so readers on other threads need no validation. Only a file can
    // vanish.
    this.direct = bigint || region.origin === 'file' ? 0 : Math.min(length, nearFields(bits));
  }

  dropViews(): void {
    this.words = NOTHING;
    this.direct = 0;
  }

  check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }
}
