/** The options of a SharedMap, and the region that they lead to. */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { TYPE, type JsType } from '../region/element.js';
import { seedOption } from '../region/map-like.js';
import {
  booleanOption,
  checkInteger,
  choiceOption,
  describe,
  integerOption,
  readOptions,
  type Options,
} from '../region/options.js';
import { NO_PLACEMENT, Region, type Placement } from '../region/region.js';
import type { MapOptions } from '../native/sharedmap.js';
import type { Choose } from './choose.js';
import { slowOption } from './diagnostics.js';
import {
  checkTtl,
  KEY_TYPES,
  POLICIES,
  VALUE_CODES,
  VALUE_TYPES,
  type KeyType,
  type OnFull,
  type Policy,
  type ValueType,
} from './schema.js';

/** The types of a SharedMap, its bound, and its behavior when it is full. */
export interface SharedMapOptions<K extends KeyType, V extends ValueType> {
  key: K;
  value: V;
  /** The bound in bytes, from 65,536: index, keys, values and all overhead. */
  maxBytes: number;
  /** How entries are chosen for eviction. Default: `auto`. */
  policy?: Policy;
  /** Milliseconds after which entries expire. Default: never. */
  ttl?: number;
  /** Evict entries, or refuse new ones with `ERR_OFFHEAP_FULL`. Default: evict. */
  onFull?: OnFull;
  /**
   * Selects the entries to evict when the map is full: returns keys of some of the candidates, a
   * random sample of at least 16 entries if there are that many. It is called again if that does
   * not suffice, and may read the map, but not change it. The map has the policy `none` then; each
   * holder that writes passes its own `choose`, and one without it gets `ERR_OFFHEAP_FULL`. If the
   * function throws, or returns anything but keys of candidates, the change is refused.
   */
  choose?: Choose<JsType<K>>;
  /** As in {@link SharedMapAttachOptions.slowMilliseconds}. */
  slowMilliseconds?: number;
  /** Number of shards, each with a lock: a power of two. Default: as many as suit the bound. */
  shards?: number;
  /** Ask the system to back the map with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: the node that first writes to it. */
  numaNode?: number;
  /** 64 bits that key the hash function. Default: random. */
  seed?: bigint;
}

const OPTIONS = [
  'key',
  'value',
  'maxBytes',
  'policy',
  'ttl',
  'onFull',
  'choose',
  'slowMilliseconds',
  'shards',
  'hugePages',
  'numaNode',
  'seed',
] as const;

/** The largest bound: words of larger regions have indices above 2^31. */
const MAX_BYTES = 2 ** 33;

/** How to attach to a map. */
export interface SharedMapAttachOptions<K extends KeyType = KeyType> {
  /** As in {@link SharedMapOptions.choose}, for changes that this holder makes. */
  choose?: Choose<JsType<K>>;
  /**
   * Milliseconds from which on an operation of this holder is reported on the diagnostics channel
   * `offheap:sharedmap:slow`, from 0 to 1e9. Default: 10.
   */
  slowMilliseconds?: number;
}

/** What each holder of a map decides for itself. */
export interface HolderOptions {
  readonly choose: unknown;
  readonly slow: number;
}

/** Checks the options of a holder. */
export function holderOptions(read: Options): HolderOptions {
  return { choose: read['choose'], slow: slowOption(read['slowMilliseconds']) };
}

/** The options of `attach`. */
export function attachOptions(options: unknown): HolderOptions {
  return holderOptions(readOptions(options, ['choose', 'slowMilliseconds'], 'attach'));
}

/** The region of a new, empty map, and the options of its holder. */
export function createRegion(options: unknown): { region: Region; holder: HolderOptions } {
  const read = readOptions(options, OPTIONS, 'a SharedMap');
  const holder = holderOptions(read);
  const settings = nativeOptions(read);
  const placement: Placement = {
    ...NO_PLACEMENT,
    hugePages: booleanOption(read, 'hugePages', undefined),
    numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
  };
  const length = native().sharedmapRegionSize(settings);
  const region = Region.fixed(length, placement);
  try {
    native().sharedmapInit(region.bytes, settings);
  } catch (error) {
    region.release();
    throw error;
  }
  return { region, holder };
}

/** The options that native code needs. */
export function nativeOptions(read: Options): MapOptions {
  const key = choiceOption(read, 'key', KEY_TYPES);
  const value = choiceOption(read, 'value', VALUE_TYPES);
  const { maxBytes, ttl } = read;
  if (maxBytes === undefined) throw typeError('a SharedMap needs maxBytes, its bound in bytes');
  const isChosen = checkChoose(read);
  const policy = read['policy'] === undefined ? 'auto' : choiceOption(read, 'policy', POLICIES);
  const onFull = read['onFull'] === undefined ? 'evict' : choiceOption(read, 'onFull', ['evict', 'reject']);
  const time = ttl === undefined ? Infinity : checkTtl(ttl);
  const [seed0, seed1] = seedOption(read);
  return {
    maxBytes: checkInteger(maxBytes, 'maxBytes', 65_536, MAX_BYTES),
    ttl: time === Infinity ? 0 : time,
    key: TYPE[key],
    value: VALUE_CODES[value],
    policy: POLICIES.indexOf(isChosen ? 'none' : policy),
    shards: integerOption(read, 'shards', 1, 256, 0),
    reject: isChosen || onFull === 'reject',
    seeded: true,
    seed0: seed0 >>> 0,
    seed1: seed1 >>> 0,
  };
}

/** Whether the option `choose` was given, which replaces the policy. */
function checkChoose(read: Options): boolean {
  const { choose, policy, onFull } = read;
  if (choose === undefined) return false;
  if (typeof choose !== 'function') throw typeError(`choose must be a function, not ${describe(choose)}`);
  if (policy !== undefined && policy !== 'none') {
    throw typeError(`choose and the policy ${describe(policy)} exclude each other`);
  }
  if (onFull === 'reject') throw typeError("choose and onFull: 'reject' exclude each other");
  return true;
}
