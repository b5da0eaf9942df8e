/**
 * The same service in idiomatic plain JavaScript: an array of objects, and Maps that refer to them.
 * Every answer of the other tables is checked against this one.
 */

/** @typedef {import('./cities.mjs').City} City */

/** @param {City[]} cities */
export function buildPlain(cities) {
  /** @type {City[]} */
  const all = [];
  /** @type {Map<number, City>} */
  const byId = new Map();
  /** @type {Map<string, City[]>} */
  const byName = new Map();
  /** @type {Map<string, City[]>} */
  const byCountry = new Map();
  for (const { id, name, country, region, lat, lng } of cities) {
    const city = { id, name, country, region, lat, lng };
    all.push(city);
    byId.set(id, city);
    push(byName, name, city);
    push(byCountry, country, city);
  }
  return { all, byId, byName, byCountry };
}

/** @typedef {ReturnType<typeof buildPlain>} Plain */

/** @template K, V @param {Map<K, V[]>} map @param {K} key @param {V} value */
function push(map, key, value) {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** @param {Plain} plain @param {number} lat0 @param {number} lng0 */
export function nearestPlain(plain, lat0, lng0) {
  const radians = Math.PI / 180;
  const cos0 = Math.cos(lat0 * radians);
  let best;
  let least = Infinity;
  for (const city of plain.all) {
    const s = Math.sin((city.lat - lat0) * (radians / 2));
    if (s * s >= least) continue;
    const t = Math.sin((city.lng - lng0) * (radians / 2));
    const chord = s * s + cos0 * Math.cos(city.lat * radians) * t * t;
    if (chord < least) {
      least = chord;
      best = city;
    }
  }
  return /** @type {City} */ (best);
}

/** @param {Plain} plain @param {[number, number, number, number]} box */
export function countInBoxPlain(plain, [south, west, north, east]) {
  let count = 0;
  for (const { lat, lng } of plain.all) {
    if (lat >= south && lat <= north && lng >= west && lng <= east) count++;
  }
  return count;
}
