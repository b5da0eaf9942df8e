/** One corpus in a process of its own: sizes, then times in turns, then a store of its records. */
import zlib from 'node:zlib';
import { Compressor, Dictionary, RecordStore } from '../../dist/compress/index.js';
import { serve } from '../lib/child.mjs';
import { turns } from '../lib/measure.mjs';
import { load } from './corpora.mjs';

const collect = /** @type {() => void} */ (globalThis.gc);
const DICTIONARY = 112 * 1024;
/** The window of deflate. */
const WINDOW = 32 * 1024;
/** Records in one turn. */
const MEASURED = 2000;

/**
 * The peers that compress single records: name, compression and decompression.
 * @param {Uint8Array} content
 */
function peersOf(content) {
  const dictionary = content.subarray(-WINDOW);
  const peers = [
    {
      name: 'deflate with dictionary',
      pack: (/** @type {Buffer} */ record) => zlib.deflateRawSync(record, { dictionary }),
      unpack: (/** @type {Buffer} */ packed) => zlib.inflateRawSync(packed, { dictionary }),
    },
    {
      name: 'brotli, quality 5',
      pack: (/** @type {Buffer} */ record) =>
        zlib.brotliCompressSync(record, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }),
      unpack: (/** @type {Buffer} */ packed) => zlib.brotliDecompressSync(packed),
    },
  ];
  const { zstdCompressSync: pack, zstdDecompressSync: unpack } = /** @type {any} */ (zlib);
  if (pack !== undefined) {
    // Releases without the option compress without a dictionary, which shows in the size.
    peers.push({
      name: 'zstd with dictionary',
      pack: (record) => pack(record, { dictionary: content }),
      unpack: (packed) => unpack(packed, { dictionary: content }),
    });
  }
  return peers;
}

const sum = (/** @type {{ length: number }[]} */ list) => list.reduce((all, { length }) => all + length, 0);

serve(async ({ corpus, quick }) => {
  const { samples, records } = load(corpus);
  const plan = { rounds: quick ? 5 : 15, budgetNs: quick ? 2e9 : 1e10 };
  const dictionary = await Dictionary.train(samples, { maxBytes: DICTIONARY });
  const step = Math.max(1, Math.floor(records.length / MEASURED));
  const some = records.filter((_, i) => i % step === 0).slice(0, MEASURED);
  const raw = sum(some);
  const compressor = new Compressor(dictionary);
  const best = new Compressor(dictionary, { level: 9 });
  const { content } = dictionary.stats();
  const peers = peersOf(dictionary.bytes.subarray(256, 256 + content));

  const packed = some.map((record) => compressor.compress(record));
  const theirs = peers.map(({ pack }) => some.map(pack));
  const sizes = peers.map(({ name }, i) => ({
    title: 'bytes',
    unit: '%',
    ours: (100 * sum(packed)) / raw,
    peer: name,
    theirs: (100 * sum(theirs[i])) / raw,
    ratio: 1,
  }));
  sizes.push({
    title: 'bytes at level 9',
    unit: '%',
    ours: (100 * sum(some.map((record) => best.compress(record)))) / raw,
    peer: 'the default level',
    theirs: (100 * sum(packed)) / raw,
    ratio: 1,
  });

  const units = some.length;
  const times = (
    /** @type {string} */ title,
    /** @type {() => unknown} */ ours,
    /** @type {(i: number) => unknown} */ other,
  ) => {
    const lanes = [
      { name: 'ours', work: ours },
      ...peers.map(({ name }, i) => ({ name, work: () => other(i) })),
    ];
    lanes.forEach(({ work }) => work());
    const found = turns(lanes, { ...plan, units });
    return peers.map(({ name }) => ({
      title,
      ours: found.ours.ns,
      peer: name,
      theirs: found[name].ns,
      ratio: 1,
      raw: { ours: found.ours, theirs: found[name] },
    }));
  };
  const compressing = times(
    'compress',
    () => some.forEach((record) => compressor.compress(record)),
    (i) => some.forEach(peers[i].pack),
  );
  const decompressing = times(
    'decompress',
    () => packed.forEach((bytes) => compressor.decompress(bytes)),
    (i) => theirs[i].forEach((bytes) => peers[i].unpack(bytes)),
  );
  const title = `${corpus}: records of ${Math.round(raw / units)} bytes`;
  return [
    { title, rows: [...sizes, ...compressing, ...decompressing] },
    {
      title: `${corpus}: RecordStore of ${records.length} records`,
      rows: await storeRows(records, dictionary, plan),
    },
  ];
});

/**
 * @param {Buffer[]} records
 * @param {Dictionary} dictionary
 * @param {{ rounds: number, budgetNs: number }} plan
 */
async function storeRows(records, dictionary, plan) {
  collect();
  const before = process.memoryUsage().heapUsed;
  const strings = records.map((record) => record.toString());
  collect();
  const heap = process.memoryUsage().heapUsed - before;
  const store = await RecordStore.build(records, { dictionary });
  let state = 1;
  const asked = Float64Array.from({ length: 10_000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % records.length;
  });
  const lanes = [
    { name: 'get', work: () => asked.forEach((i) => store.get(i)) },
    { name: 'getString', work: () => asked.forEach((i) => store.getString(i)) },
    { name: 'getMany', work: () => store.getMany(asked) },
    { name: 'copy', work: () => asked.forEach((i) => Buffer.from(records[i])) },
  ];
  lanes.forEach(({ work }) => work());
  const found = turns(lanes, { ...plan, units: asked.length });
  const goals = { get: 1000, getString: undefined, getMany: 300 };
  const small = sum(records) / records.length < 300;
  const rows = Object.entries(goals).map(([name, below]) => ({
    title: name,
    ours: found[name].ns,
    peer: 'copying the Buffer',
    theirs: found.copy.ns,
    ...(small && below !== undefined ? { below } : {}),
    raw: found[name],
  }));
  const bytes = { ours: store.byteLength / records.length, theirs: heap / records.length };
  store.close();
  if (strings.length !== records.length) throw new Error('the strings were dropped');
  // The goal applies to JSON records.
  const goal = strings[0].startsWith('{') ? { ratio: 5 } : {};
  return [...rows, { title: 'memory of a record', unit: 'B', ...bytes, peer: 'array of strings', ...goal }];
}
