/**
 * SharedMaps in files: the options, and the file in a buffer that workers share.
 *
 * The file is mapped over the pages of a growable `SharedArrayBuffer`, as in `src/mmap/`. Native
 * code knows which buffers are files, so a worker that receives the buffer attaches to the file as
 * a participant of its own. The pages remain mapped until the last thread has dropped the buffer;
 * the participants' descriptors are closed with their attachments.
 *
 * Cost: opening maps the file and reads its tables; closing the last attachment of all processes
 * waits until everything is on the disk.
 */
import { existsSync } from 'node:fs';
import { outOfMemory, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import type { Opened } from '../native/sharedmap-file.js';
import { checkPath, withDirectoryCause } from '../region/file.js';
import { booleanOption, choiceOption, describe, readOptions, type Options } from '../region/options.js';
import { MAX_MAPPINGS, Region } from '../region/region.js';
import { holderOptions, nativeOptions, type HolderOptions, type SharedMapOptions } from './options.js';
import type { KeyType, ValueType } from './schema.js';

/** How to open the file of a map, and the map to create if there is none. */
export interface SharedMapOpenOptions<K extends KeyType, V extends ValueType> extends Partial<
  Omit<SharedMapOptions<K, V>, 'hugePages' | 'numaNode'>
> {
  /** Create the file if it does not exist, which requires types and bound. Default: `true`. */
  create?: boolean;
  /** `'rw'`, the default, or `'r'`: nothing is written to the file, not even statistics. */
  mode?: 'r' | 'rw';
  /**
   * Keep only entries whose checksums are right, and report the others in
   * {@link SharedMap.repaired}. Without it, a file that was open when the machine stopped is
   * refused with `ERR_OFFHEAP_CORRUPT`.
   */
  repair?: boolean;
}

/** The outcome of a repair. */
export interface Repaired {
  /** Entries that are still in the map. */
  readonly kept: number;
  /** Entries that were removed, because they were incomplete. */
  readonly lost: number;
}

const MAP_OPTIONS = [
  'key',
  'value',
  'maxBytes',
  'policy',
  'ttl',
  'onFull',
  'choose',
  'shards',
  'seed',
] as const;
const OPTIONS = [...MAP_OPTIONS, 'create', 'mode', 'repair', 'slowMilliseconds'] as const;
/** `OH_BINDING_SHAREDMAP_…` */
const FLAG = { create: 1, key: 2, value: 4, maxBytes: 8, read: 16, repair: 32 } as const;
/** Options of a file that is opened without them. They are not compared with it. */
const ANY = { key: 'u32', value: 'u32', maxBytes: 65_536 };

/** What an opened map is compared with. */
interface Figures {
  readonly policy: string;
  readonly onFull: string;
  readonly ttl: number;
  close(): void;
}

/**
 * Opens a file, calls `attach` with its bytes, and compares the map with the options. Returns the
 * map and the outcome of a repair.
 */
export function openFile<M extends Figures>(
  path: unknown,
  options: unknown,
  attach: (region: Region, holder: HolderOptions) => M,
): { map: M; repaired: Repaired | undefined } {
  const target = checkPath(path);
  const read = readOptions(options, OPTIONS, 'open');
  const holder = holderOptions(read);
  const file = open(target, read);
  try {
    const map = attach(mapped(file, target), holder);
    try {
      compare(map, read, target);
    } catch (error) {
      map.close();
      throw error;
    }
    return { map, repaired: repairedBy(native().sharedmapFileOpened(file)) };
  } finally {
    native().sharedmapFileClose(file);
  }
}

function open(path: string, read: Options): object {
  const mode = read['mode'] === undefined ? 'rw' : choiceOption(read, 'mode', ['r', 'rw']);
  const create = booleanOption(read, 'create', undefined);
  if (mode === 'r' && create === true) throw typeError("a file cannot be created in the mode 'r'");
  const given: Record<string, unknown> = { ...ANY };
  for (const name of MAP_OPTIONS) if (read[name] !== undefined) given[name] = read[name];
  let flags = booleanOption(read, 'repair', false) ? FLAG.repair : 0;
  for (const name of ['key', 'value', 'maxBytes'] as const) if (read[name] !== undefined) flags |= FLAG[name];
  const isComplete = (flags & (FLAG.key | FLAG.value | FLAG.maxBytes)) === 14;
  if (mode === 'r') flags |= FLAG.read;
  else if (create !== false && isComplete) flags |= FLAG.create;
  else if (create === true || (create === undefined && !existsSync(path))) {
    const missing = (['key', 'value', 'maxBytes'] as const).filter((name) => read[name] === undefined);
    throw typeError(
      `creating ${path} requires the options key, value and maxBytes: ${missing.join(', ')} missing`,
    );
  }
  try {
    return native().sharedmapFileOpen(path, nativeOptions(given), flags);
  } catch (error) {
    throw withDirectoryCause(error, path);
  }
}

/** A region of the pages of a file. */
function mapped(file: object, path: string): Region {
  const length = native().sharedmapFileLength(file);
  const page = native().sharedmapFilePage();
  if (!native().mappingsReserve(2, MAX_MAPPINGS)) {
    throw outOfMemory(path, length, new Error('the process is close to its limit of memory mappings'));
  }
  const whole = Math.ceil(length / page) * page;
  let buffer: SharedArrayBuffer;
  try {
    // The engine reserves whole pages, so eight bytes more are another page, for native code.
    buffer = new SharedArrayBuffer(length, { maxByteLength: whole + 8 });
  } catch (cause) {
    throw outOfMemory(path, length, cause);
  }
  native().sharedmapFileMap(file, new Uint8Array(buffer), whole + page);
  return Region.attached(buffer);
}

/** Refuses a map whose other options are not those that were given. */
function compare(map: Figures, read: Options, path: string): void {
  for (const name of ['policy', 'onFull', 'ttl'] as const) {
    const wanted = read[name];
    // A map with a chooser does not evict on its own; that was checked.
    if (name === 'onFull' && read['choose'] !== undefined) continue;
    if (wanted === undefined || wanted === map[name]) continue;
    const message = `${path}: the ${name} of the map is ${describe(map[name])}, not ${describe(wanted)}`;
    throw name === 'ttl' ? rangeError(message) : typeError(message);
  }
}

function repairedBy({ repaired, kept, lost }: Opened): Repaired | undefined {
  return repaired ? { kept, lost } : undefined;
}
