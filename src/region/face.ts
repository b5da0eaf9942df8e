/**
 * The parts that the public classes of all structures have in common: making one of an existing
 * region, the options that place its memory, the memory figures of `stats()`, and printing.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { offheapError, typeError } from '../errors.js';
import {
  checkPath,
  checksumMatches,
  clearChecksum,
  mapRegion,
  readOpenOptions,
  type OpenOptions,
} from './file.js';
import { corrupt, HEADER_BYTES, type Kind } from './format.js';
import { booleanOption, describe, integerOption, type Options } from './options.js';
import { NO_PLACEMENT, Region, type Origin, type Placement } from './region.js';
import { RegionSource, type RegionTable, type State } from './table.js';
import { attachRegion } from './token.js';
import { intrinsicLength, refuseDetached } from './typed-array.js';

// ---- structures of existing regions

/** Makes a structure of a region, which is released if it contains something else. */
function makeOf<S>(make: (source: RegionSource) => S, region: Region, owner: boolean, what: string): S {
  try {
    return make(new RegionSource(region, owner, what));
  } catch (error) {
    region.release();
    throw error;
  }
}

/** `S.attach`: a structure that another thread shared, to read from. O(1). */
export function attachStructure<S>(token: unknown, kind: Kind, make: (source: RegionSource) => S): S {
  return makeOf(make, attachRegion(token, kind), false, `the shared ${kind}`);
}

/** `S.open`: a saved structure, by mapping its file. */
export function openStructure<S>(
  path: unknown,
  options: OpenOptions | undefined,
  make: (source: RegionSource) => S,
): S {
  const target = checkPath(path);
  return makeOf(make, mapRegion(target, readOpenOptions(options)), false, target);
}

/**
 * `S.fromBytes`: a structure from a copy of its bytes, which are compared with their checksum.
 * O(bytes).
 */
export function structureFromBytes<S>(bytes: unknown, make: (source: RegionSource) => S, aligned = false): S {
  if (!isUint8Array(bytes)) throw typeError(`bytes must be a Uint8Array, not ${describe(bytes)}`);
  refuseDetached(bytes, 'bytes');
  const length = intrinsicLength(bytes);
  if (length < HEADER_BYTES) {
    throw offheapError('ERR_OFFHEAP_CORRUPT', `${length} bytes are too few for a region`);
  }
  const region = Region.allocate(length, NO_PLACEMENT, aligned);
  region.bytes.set(bytes);
  const intact = checksumMatches(region.bytes);
  clearChecksum(region.bytes);
  const structure = makeOf(make, region, true, 'these bytes');
  if (intact) return structure;
  // An error that the header shows, an unsupported version for example, says more, and was thrown
  // above.
  region.release();
  throw corrupt('these bytes', 'the contents do not match the checksum');
}

/**
 * For static methods that make a structure of an existing region: calls the constructor of the
 * class on which the method was called, so that `Sub.open(path)` returns a `Sub`. Without such a
 * class (`const { open } = HashMap`) it is `fallback`.
 */
export function constructing<S>(
  called: unknown,
  fallback: new (source: RegionSource) => S,
): (source: RegionSource) => S {
  const Class = typeof called === 'function' ? (called as typeof fallback) : fallback;
  return (source) => {
    const structure = new Class(source);
    // Otherwise the caller would get an empty structure.
    if (!source.consumed)
      throw typeError(`the constructor of ${Class.name} must pass its arguments to super`);
    return structure;
  };
}

/** The table of an existing region, for classes that have no public constructor. */
export function tableFromSource<T extends RegionTable>(
  Table: new (region: Region) => T,
  source: unknown,
  name: string,
): T {
  if (!(source instanceof RegionSource)) {
    throw typeError(`${name} has no public constructor; call ${name}.from`);
  }
  const table = new Table(source.region);
  table.initialize(source);
  return table;
}

// ---- options and figures of memory

/** Names of the options that {@link placementOptions} reads. */
export const PLACEMENT_OPTIONS = ['hugePages', 'numaNode'] as const;

export function placementOptions(options: Options): Placement {
  return {
    hugePages: booleanOption(options, 'hugePages', undefined),
    numaNode: integerOption(options, 'numaNode', 0, 1023, undefined),
  };
}

/** The part of `stats()` that is about the region. */
export interface RegionStats {
  byteLength: number;
  /** Where the bytes are: this thread's memory, another thread's, or a mapped file. */
  origin: Origin;
  shared: boolean;
}

export function regionStats(region: Region): RegionStats {
  return {
    byteLength: region.buffer.byteLength,
    origin: region.origin,
    shared: region.shared || region.origin === 'attached',
  };
}

// ---- printing

/** Sets `Symbol.toStringTag` on a prototype, where the built-in classes have it. */
export function setTag(prototype: object, tag: string): void {
  Object.defineProperty(prototype, Symbol.toStringTag, { value: tag, configurable: true });
}

/** Makes a method the iterator too: the same function, as in the built-in classes. */
export function setIterator<M extends string>(prototype: Record<M, unknown>, method: M): void {
  const { value } = Object.getOwnPropertyDescriptor(prototype, method)! as { value: unknown };
  Object.defineProperty(prototype, Symbol.iterator, { value, configurable: true, writable: true });
}

/**
 * For `util.inspect`, which must not throw: prints the contents if they can be read, otherwise the
 * state.
 */
export function inspectIfOpen(
  name: string,
  state: State,
  options: InspectOptionsStylized,
  print: () => string,
): string {
  return state === 'open' ? print() : `${options.stylize(name, 'special')} { ${state} }`;
}

/** Entries are printed up to this number, or `maxArrayLength` if that is smaller. */
const MAX_SHOWN = 100;

/** Prints entries as `inspect` prints those of a `Map`, after a title: `HashMap<u32, f64>(2)`. */
export function inspectEntries(
  title: string,
  entries: Iterable<readonly [unknown, unknown]>,
  size: number,
  depth: number,
  options: InspectOptionsStylized,
): string {
  if (depth < 0) return options.stylize(`[${title}]`, 'special');
  const limit = Math.min(options.maxArrayLength ?? Infinity, MAX_SHOWN);
  const shown = new Map<unknown, unknown>();
  for (const [key, value] of entries) {
    if (shown.size >= limit) break;
    shown.set(key, value);
  }
  const list = inspect(shown, { ...options, depth: options.depth === null ? null : depth });
  return withMore(title, list.slice(list.indexOf('{')), size - shown.size, '}');
}

/** Prints elements as `inspect` prints those of an array, after a title. */
export function inspectElements(
  title: string,
  elements: readonly unknown[],
  length: number,
  depth: number,
  options: InspectOptionsStylized,
): string {
  if (depth < 0) return options.stylize(`[${title}]`, 'special');
  const list = inspect(elements, { ...options, maxArrayLength: null });
  return withMore(title, list, length - elements.length, ']');
}

/** How many elements {@link inspectElements} should be given. */
export function shownElements(length: number, options: InspectOptionsStylized): number {
  return Math.min(length, options.maxArrayLength ?? Infinity, MAX_SHOWN);
}

function withMore(title: string, list: string, more: number, bracket: '}' | ']'): string {
  if (more <= 0) return `${title} ${list}`;
  const body = list.slice(0, list.lastIndexOf(bracket)).trimEnd();
  return `${title} ${body}${/[[{]$/.test(body) ? ' ' : ', '}... ${more} more ${bracket}`;
}
