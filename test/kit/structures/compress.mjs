import { commonOperations } from './common.mjs';

/** @param {typeof import('../../../src/index.js')} offheap */
export function compress({ BloomFilter, Compressor, Dictionary, RecordStore, SuffixArray }) {
  const text = (bytes) => new TextDecoder().decode(bytes);
  const utf8 = (string) => new TextEncoder().encode(string);
  const records = Array.from({ length: 300 }, (_, i) => JSON.stringify({ id: i, town: `Town ${i % 91}` }));
  // Training draws no random numbers, so each dictionary is the same.
  let trained;
  const dictionaryBytes = () => (trained ??= Dictionary.train(records).then((d) => d.toBytes()));

  const bloomFilter = {
    name: 'BloomFilter',
    kind: 'bloomfilter',
    Class: BloomFilter,
    make: () => {
      const filter = new BloomFilter(200, 1e-9);
      for (let i = 0; i < 100; i++) filter.add(`key ${i}`);
      return filter;
    },
    // The bits depend on a random seed; membership of the keys does not.
    contents: (s) => [
      ...records.map((_, i) => i < 100 && s.has(`key ${i}`)),
      ...['more', 'a', 'b'].map((key) => s.has(key)),
    ],
    metadataWords: 64,
    golden: ['bloomfilter'],
    operations: {
      ...commonOperations((s) => s.has('key 1')),
      has: { run: (s) => s.has('key 7'), result: true },
      hasMany: { run: (s) => s.hasMany(['key 1', 'key 99']), result: [1, 1] },
      add: { run: (s) => s.add('more').has('more'), writes: true, result: true },
      addMany: { run: (s) => s.addMany(['a', 'b']).has('b'), writes: true, result: true },
    },
    misuse: (s, attempt) => {
      attempt(() => s.hasMany(Float64Array.of(1, 2, 3)));
      attempt(() => s.add('z').addMany(['y', 4]).addMany(Float64Array.of(5)));
    },
  };

  const suffixArray = {
    name: 'SuffixArray',
    kind: 'suffixarray',
    Class: SuffixArray,
    immutable: true,
    make: () => SuffixArray.build(utf8('she sells sea shells by the sea shore '.repeat(20))),
    contents: (s) => Array.from({ length: s.length }, (_, i) => s.at(i)),
    metadataWords: 64,
    golden: ['suffixarray'],
    operations: {
      ...commonOperations((s) => s.length),
      length: { run: (s) => s.length, result: 760 },
      at: { run: (s) => typeof s.at(0), result: 'number' },
      search: { run: (s) => s.search(utf8('sea')).count, result: 40 },
    },
    misuse: (s, attempt) => {
      for (const pattern of ['', 's', 'sea', 'z', '\0']) attempt(() => s.search(pattern));
      for (const rank of [0, 5, s.length - 1, s.length]) attempt(() => s.at(rank));
    },
  };

  const dictionary = {
    name: 'Dictionary',
    kind: 'dictionary',
    Class: Dictionary,
    immutable: true,
    make: async () => Dictionary.fromBytes(await dictionaryBytes()),
    contents: (s) => text(s.bytes),
    metadataWords: 64 + 300,
    golden: ['dictionary'],
    operations: {
      ...commonOperations((s) => s.bytes.length),
      bytes: { run: (s) => s.bytes.length > 0, result: true },
    },
    misuse: (s, attempt) => {
      attempt(() => {
        const compressor = new Compressor(s);
        attempt(() => compressor.decompress(compressor.compress(utf8(records[1]))));
        attempt(() => compressor.decompress(compressor.compress(utf8('unlike the samples'))));
        attempt(() => compressor.decompress(Uint8Array.of(1, 2, 3, 4, 5, 6)));
      });
    },
  };

  const recordStore = {
    name: 'RecordStore',
    kind: 'recordstore',
    Class: RecordStore,
    immutable: true,
    make: async () =>
      RecordStore.build(records, { dictionary: Dictionary.fromBytes(await dictionaryBytes()) }),
    contents: (s) => [...s].map(text),
    metadataWords: 64 + 300,
    golden: ['recordstore'],
    iterator: (s) => s[Symbol.iterator](),
    operations: {
      ...commonOperations((s) => [...s].map(text)),
      length: { run: (s) => s.length, result: 300 },
      get: { run: (s) => s.get(7), result: [...utf8(records[7])] },
      getJSON: { run: (s) => s.getJSON(300), result: undefined },
      getString: { run: (s) => [s.getString(299), s.getString(300)], result: [records[299], undefined] },
      getMany: { run: (s) => s.getMany([1, 2]).map(text), result: [records[1], records[2]] },
      dictionary: { run: (s) => typeof s.dictionary, result: 'object' },
      'Symbol(Symbol.iterator)': { run: (s) => [...s].map(text), result: records },
    },
    misuse: (s, attempt) => {
      for (let i = 0; i < Math.min(60, s.length); i++) attempt(() => s.get(i));
    },
  };

  return {
    'Bloom filter': bloomFilter,
    'suffix array': suffixArray,
    dictionary,
    'record store': recordStore,
  };
}
