/**
 * The output of `offheap inspect` for a SharedMap: types, bound and layout from its header, and its
 * figures, for which the file is mapped.
 */
import { messageOf } from '../errors.js';
import { TYPE_NAMES } from '../region/element.js';
import { corrupt, readLong } from '../region/format.js';
import type { Contents } from '../region/contents.js';
import type { SizeClass } from './figures.js';
import { HEAD } from './layout.js';
import { KEY_TYPES, POLICIES, valueTypeOf, type KeyType } from './schema.js';
import { SharedMap } from './shared-map.js';

/** The types and the policy in a schema. */
export function schemaContents(schema: number, path: string): Contents {
  const key = TYPE_NAMES[schema & 0xff];
  const value = valueTypeOf((schema >>> 8) & 0xff);
  const policy = POLICIES[(schema >>> 16) & 0xff];
  if (!KEY_TYPES.includes(key as KeyType) || value === undefined || policy === undefined) {
    throw corrupt(path, `the invalid schema ${schema}`);
  }
  return { key: key!, value, policy, onFull: (schema >>> 24) & 1 ? 'reject' : 'evict' };
}

export function sharedmap(words: Int32Array, _available: number, path: string): Contents {
  const types = schemaContents(words[HEAD.schema], path);
  const pageShift = words[HEAD.pageShift];
  const shardBits = words[HEAD.shardBits];
  if (!(pageShift >= 12 && pageShift <= 14) || !(shardBits >= 0 && shardBits <= 8)) {
    throw corrupt(path, `pages of 2^${pageShift} bytes in 2^${shardBits} shards`);
  }
  const ttl = new Float64Array(words.slice(HEAD.ttl, HEAD.ttl + 2).buffer)[0];
  return {
    ...types,
    ttl: ttl === 0 ? 'none' : ttl,
    maxBytes: readLong(words, HEAD.maxBytes),
    shards: 2 ** shardBits,
    pages: words[HEAD.pages],
    pageBytes: 2 ** pageShift,
    participants: words[HEAD.participants],
    maxEntryBytes: words[HEAD.maxEntry],
    maxKeyBytes: words[HEAD.maxKey],
    ...figures(path),
  };
}

/** The figures of the map in a file that others may write, or why there are none. */
function figures(path: string): Contents {
  try {
    const map = SharedMap.open(path, { mode: 'r' });
    try {
      const { participants, ...stats } = map.stats();
      return {
        ...stats,
        attached: participants,
        sizes: resultOf(() => sizesText(map.sizes())),
      };
    } finally {
      map.close();
    }
  } catch (error) {
    return { figures: `none: ${messageOf(error)}` };
  }
}

/** A result, or why there is none. */
function resultOf(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return `failed: ${messageOf(error)}`;
  }
}

/** One line for each class of sizes. */
function sizesText(classes: readonly SizeClass[]): string {
  if (classes.length === 0) return 'no entries';
  return classes.map(({ bytes, entries }) => `up to ${bytes} bytes: ${entries} entries`).join('\n');
}
