/**
 * The lookup tables of a geo service, as HashMaps. All of them live outside the JavaScript heap,
 * are shared with workers without copying, and are saved and mapped byte for byte.
 *
 *     first      name -> id      the first place of that name
 *     next       id -> id        the next place of the same name: 'Springfield' is a chain of 21
 *     lat, lng   id -> degrees   filled by one call each; their columns are scanned without copying
 *     name       id -> name
 *     country    id -> code
 *     counts     code -> number of places, counted with update()
 *     places     code -> the ids of all its places, as the bytes of a Uint32Array
 */
import { HashMap } from 'offheap/hashmap';

/** @typedef {import('./cities.mjs').City} City */

export const TABLES = ['first', 'next', 'lat', 'lng', 'name', 'country', 'counts', 'places'];

/** @param {City[]} cities */
export function buildTables(cities) {
  // The number of places is known here, so these maps need not grow; the others grow on demand.
  const capacity = cities.length;
  const first = new HashMap({ key: 'string', value: 'u32' });
  const next = new HashMap({ key: 'u32', value: 'u32' });
  const lat = new HashMap({ key: 'u32', value: 'f64', capacity });
  const lng = new HashMap({ key: 'u32', value: 'f64', capacity });
  const name = new HashMap({ key: 'u32', value: 'string', capacity });
  const country = new HashMap({ key: 'u32', value: 'string', capacity });
  const counts = new HashMap({ key: 'string', value: 'u32' });
  const places = new HashMap({ key: 'string', value: 'bytes' });

  const ids = Uint32Array.from(cities, (city) => city.id);
  lat.setMany(
    ids,
    Float64Array.from(cities, (city) => city.lat),
  );
  lng.setMany(
    ids,
    Float64Array.from(cities, (city) => city.lng),
  );
  for (const city of cities) {
    name.set(city.id, city.name);
    country.set(city.id, city.country);
    counts.update(city.country, (count) => (count ?? 0) + 1);
  }
  // From the last place to the first, so that each chain is in the order of the data.
  for (let i = cities.length - 1; i >= 0; i--) {
    const city = cities[i];
    const later = first.get(city.name);
    if (later !== undefined) next.set(city.id, later);
    first.set(city.name, city.id);
  }
  // The source is sorted by country, but nothing here relies on it.
  /** @type {Map<string, { ids: Uint32Array, length: number }>} */
  const lists = new Map();
  for (const { id, country: code } of cities) {
    let list = lists.get(code);
    if (list === undefined) {
      list = { ids: new Uint32Array(/** @type {number} */ (counts.get(code))), length: 0 };
      lists.set(code, list);
    }
    list.ids[list.length++] = id;
  }
  for (const [code, list] of lists) places.set(code, new Uint8Array(list.ids.buffer));
  return { first, next, lat, lng, name, country, counts, places };
}

/** @typedef {ReturnType<typeof buildTables>} Tables */

/**
 * Every place of this name, in the order of the data.
 * @param {Tables} tables
 * @param {string} name
 */
export function idsOfName(tables, name) {
  const ids = [];
  for (let id = tables.first.get(name); id !== undefined; id = tables.next.get(id)) ids.push(id);
  return ids;
}

/** @param {Tables} tables @param {string} code */
export function idsOfCountry(tables, code) {
  const bytes = tables.places.get(code);
  // The bytes may begin at any offset; a copy of them is aligned for a Uint32Array.
  return bytes === undefined ? new Uint32Array(0) : new Uint32Array(bytes.slice().buffer);
}

/**
 * The place nearest to a point: one pass over the two columns, in place. Compares chords of the
 * unit sphere, which have the same order as the distances.
 *
 * @param {Tables} tables @param {number} lat0 @param {number} lng0
 */
export function nearest(tables, lat0, lng0) {
  const { keys, values: lats } = tables.lat.columns();
  const { values: lngs } = tables.lng.columns();
  return keys[nearestIndex(lats, lngs, lats.length, lat0, lng0)];
}

/** @param {ArrayLike<number>} lats @param {ArrayLike<number>} lngs */
export function nearestIndex(lats, lngs, length, lat0, lng0) {
  const radians = Math.PI / 180;
  const cos0 = Math.cos(lat0 * radians);
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < length; i++) {
    const dLat = (lats[i] - lat0) * (radians / 2);
    // Half a chord is at least as long as its part along the meridian: most places are rejected
    // here.
    const s = Math.sin(dLat);
    if (s * s >= least) continue;
    const t = Math.sin((lngs[i] - lng0) * (radians / 2));
    const chord = s * s + cos0 * Math.cos(lats[i] * radians) * t * t;
    if (chord < least) {
      least = chord;
      best = i;
    }
  }
  return best;
}

/**
 * The number of places in a box.
 * @param {Tables} tables
 * @param {[number, number, number, number]} box
 */
export function countInBox(tables, [south, west, north, east]) {
  const { values: lats } = tables.lat.columns();
  const { values: lngs } = tables.lng.columns();
  let count = 0;
  for (let i = 0; i < lats.length; i++) {
    if (lats[i] >= south && lats[i] <= north && lngs[i] >= west && lngs[i] <= east) count++;
  }
  return count;
}

/** The great-circle distance in kilometers. */
export function distance(lat1, lng1, lat2, lng2) {
  const radians = Math.PI / 180;
  const s = Math.sin(((lat2 - lat1) * radians) / 2);
  const t = Math.sin(((lng2 - lng1) * radians) / 2);
  const chord = s * s + Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * t * t;
  return 2 * 6371 * Math.asin(Math.sqrt(chord));
}

/** @param {Tables} tables */
export const bytesOf = (tables) => TABLES.reduce((sum, table) => sum + tables[table].byteLength, 0);

/** @param {Tables} tables */
export function closeTables(tables) {
  for (const table of TABLES) tables[table].close();
}
