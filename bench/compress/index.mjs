/**
 * `npm run bench -- compress`: records compressed one by one, and stores of records, compared with
 * Node's codecs: deflate with a dictionary (32 KiB of the same content), brotli, and zstd if this
 * Node supports it with dictionaries.
 *
 * Each corpus runs in a process of its own; half of it is used for training, and the other half is
 * measured. `structures` measures BloomFilter, SuffixArray and RollingHash.
 */
import zlib from 'node:zlib';
import { inChild } from '../lib/child.mjs';
import { known } from '../lib/options.mjs';
import { CORPORA } from './corpora.mjs';

const STRUCTURES = 'structures';

/** The meaning of the columns. */
export const headline =
  'medians, for one record; lower is better; "ratio" is how many times better than the peer';

/**
 * @param {{ quick: boolean, only?: string[], keys?: string[], sizes?: number[], say: (text: string)
 * => void, show: (part: object) => void }} options `only` names corpora
 */
export async function measure({ quick, only, keys, sizes, say, show }) {
  known('keys', keys, []);
  known('sizes', sizes?.map(String), []);
  known('only', only, [...Object.keys(CORPORA), STRUCTURES]);
  if (!('zstdCompressSync' in zlib)) {
    say(
      '  node:zlib of this Node has no zstd (22.15 and 24 have it), so there are no rows for it. `cargo bench` compares it in Rust.',
    );
  }
  /** @type {import('../lib/report.mjs').Found} */
  const found = { sections: [] };
  for (const corpus of only ?? [...Object.keys(CORPORA), STRUCTURES]) {
    const script = corpus === STRUCTURES ? 'structures.mjs' : 'section.mjs';
    const parts = await inChild(new URL(script, import.meta.url), { corpus, quick });
    found.sections.push(...parts);
    show({ sections: parts });
  }
  say('');
  return found;
}
