/**
 * The lists of the kinds of region and of the types of elements. `npm run generate` writes the
 * tables of every language and of docs/formats/region.md from them.
 *
 * Codes are part of the formats: they are never changed or reused.
 */

/**
 * @typedef {object} Kind a structure with a format of its own
 * @property {number} code in headers
 * @property {string} name in TypeScript and on the command line
 * @property {string} type the class
 * @property {number} version of its format, which this release gives to new structures
 * @property {number} oldest version that this release reads
 * @property {string} module the folder under src/
 * @property {string} page of docs/formats/, without `.md`
 * @property {string} doc
 */

/**
 * @param {number} code @param {string} type @param {string} module @param {string} doc
 * @returns {Kind}
 */
function kind(
  code,
  type,
  module,
  doc,
  { name = type.toLowerCase(), page = module, version = 1, oldest = 1 } = {},
) {
  return { code, name, type, version, oldest, module, page, doc };
}

export const KINDS = [
  kind(1, 'HashMap', 'hashmap', 'A hash map.', { version: 2 }),
  kind(2, 'SmallMapArena', 'smallmap', 'Many small maps.', { name: 'smallmap', version: 2 }),
  kind(3, 'Vector', 'vector', 'Numbers of one type.'),
  kind(4, 'FixedPool', 'pools', 'A pool of blocks in size classes, for one thread.'),
  kind(5, 'LockFreePool', 'pools', 'A pool of blocks that many threads allocate from.'),
  kind(6, 'BumpArena', 'pools', 'A bump allocator.'),
  kind(7, 'NumaPool', 'pools', 'A pool with a section on each NUMA node.'),
  kind(8, 'BitVector', 'succinct', 'Bits.'),
  kind(9, 'RankSelect', 'succinct', 'Bits with an index for rank and select.'),
  kind(10, 'EliasFano', 'succinct', 'Sorted integers.'),
  kind(11, 'PackedInts', 'succinct', 'Integers of 1 to 64 bits.'),
  kind(12, 'MmapVector', 'mmap', 'The file of a vector that is larger than memory.', { page: 'mmapvector' }),
  kind(13, 'Dictionary', 'compress', 'A dictionary for compression.'),
  kind(14, 'RecordStore', 'compress', 'Compressed records.'),
  kind(15, 'BloomFilter', 'compress', 'A Bloom filter.', { version: 2 }),
  kind(16, 'SuffixArray', 'compress', 'A suffix array.'),
  kind(17, 'SharedMap', 'sharedmap', 'A map that many threads and processes write.'),
];

/**
 * @typedef {object} Element a type of elements
 * @property {number} code in headers
 * @property {string} name in TypeScript
 * @property {'number' | 'bool' | 'blob' | 'value' | 'shared'} class a `blob` is stored as a
 *   reference into a heap; a `value` is not in the region; a `shared` type is only that of values
 *   of a SharedMap
 * @property {number} width bytes in a column, 0 where there is no column
 * @property {string} js the TypeScript type of one element
 * @property {string | undefined} array the typed array that shows a column
 * @property {string | undefined} c the type in C, for plain data
 * @property {string} doc in the core
 * @property {string} cDoc in the C header
 * @property {string} expected the end of the error message "a value of this map must be …"
 */

/**
 * An integer type, from its name.
 * @param {number} code @param {string} name `u8`, `i64` @returns {Element}
 */
function integer(code, name) {
  const signed = name.startsWith('i');
  const bits = Number(name.slice(1));
  const wide = bits === 64;
  const c = `${signed ? '' : 'u'}int${bits}_t`;
  const range = wide
    ? signed
      ? '-2^63 to 2^63 - 1'
      : '0 to 2^64 - 1'
    : signed
      ? `${-(2 ** (bits - 1))} to ${2 ** (bits - 1) - 1}`
      : `0 to ${2 ** bits - 1}`;
  return {
    code,
    name,
    class: 'number',
    width: bits / 8,
    js: wide ? 'bigint' : 'number',
    array: `${wide ? 'Big' : ''}${signed ? 'Int' : 'Uint'}${bits}Array`,
    c,
    doc: `${signed ? 'Signed' : 'Unsigned'}, ${bits} bits.`,
    cDoc: `\`${c}\``,
    expected: `${wide ? 'a bigint' : 'an integer'} from ${range}`,
  };
}

/** @param {number} code @param {32 | 64} bits @param {string} c @returns {Element} */
function float(code, bits, c, cDoc = `\`${c}\``) {
  return {
    code,
    name: `f${bits}`,
    class: 'number',
    width: bits / 8,
    js: 'number',
    array: `Float${bits}Array`,
    c,
    doc: `Float, ${bits} bits.`,
    cDoc,
    expected: 'a number',
  };
}

/**
 * @param {number} code @param {string} name @param {string} js
 * @param {string} doc @param {string} cDoc @param {string} expected @returns {Element}
 */
function blob(code, name, js, doc, cDoc, expected) {
  return {
    code,
    name,
    class: 'blob',
    width: 4,
    js,
    array: 'Uint32Array',
    c: undefined,
    doc: `${doc}, in the heap.`,
    cDoc,
    expected,
  };
}

/** @type {Element[]} */
export const ELEMENTS = [
  ...['u8', 'i8', 'u16', 'i16', 'u32', 'i32'].map((name, i) => integer(i + 1, name)),
  float(7, 32, 'float'),
  float(8, 64, 'double', '`double`. As keys, all NaNs are equal, and -0.0 equals 0.0.'),
  integer(9, 'u64'),
  integer(10, 'i64'),
  {
    code: 11,
    name: 'bool',
    class: 'bool',
    width: 1,
    js: 'boolean',
    array: 'Uint8Array',
    c: 'bool',
    doc: '0 or 1, one byte.',
    cDoc: 'One byte, 0 or 1.',
    expected: 'true or false',
  },
  blob(
    12,
    'string',
    'string',
    'Text: ASCII, UTF-8 or WTF-8',
    'Text: UTF-8, or WTF-8 if it has lone surrogates. It may contain NULs.',
    'a string',
  ),
  blob(13, 'bytes', 'Uint8Array', 'Any bytes', 'Any bytes.', 'a Uint8Array that is not detached'),
  blob(14, 'json', 'Json', 'JSON text', 'JSON text.', 'a value that has JSON'),
  {
    code: 15,
    name: 'any',
    class: 'value',
    width: 0,
    js: 'unknown',
    array: undefined,
    c: undefined,
    doc: 'A JavaScript value that is not in the region: there is no column.',
    cDoc: 'JavaScript values, which are not stored in the region. From C, only the keys of such a map\ncan be used.',
    expected: 'anything',
  },
  {
    code: 16,
    name: 'structured',
    class: 'shared',
    width: 0,
    js: 'unknown',
    array: undefined,
    c: undefined,
    doc: 'A JavaScript value, serialized by V8. Only in a SharedMap.',
    cDoc: 'A JavaScript value, serialized by V8. Only values of a SharedMap have this type.',
    expected: 'a value that can be cloned',
  },
  {
    code: 17,
    name: 'mixed',
    class: 'shared',
    width: 0,
    js: 'unknown',
    array: undefined,
    c: undefined,
    doc: 'Each value has a type of its own. Only in a SharedMap.',
    cDoc: 'Each value has a type of its own. Only values of a SharedMap have this type.',
    expected: 'a value that can be cloned',
  },
];

export const NUMBERS = ELEMENTS.filter((element) => element.class === 'number');

/** In the head of each file that is generated as a whole. */
export const NOTICE = 'Generated from scripts/generate/schema.mjs by `npm run generate`. Do not edit.';
