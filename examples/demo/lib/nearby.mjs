/**
 * The question "which ten places are nearest to this point?" for some points. Those that are asked
 * for more often come first: the r-th has a share of the requests of about 1 / r.
 */
import { repeatable } from './clock.mjs';
import { distance } from './tables.mjs';

export const POINTS = 300;
const COUNT = 10;

/** @param {number} point a number below POINTS */
export function coordinatesOf(point) {
  const mixed = Math.imul(point + 1, 2_654_435_761) >>> 0;
  return { lat: ((mixed >>> 8) % 1100) / 10 - 50, lng: (mixed % 3600) / 10 - 180 };
}

/** The points of a number of requests. @param {number} seed @param {number} requests */
export function requestedPoints(seed, requests) {
  const pick = repeatable(seed);
  const among = () => Math.floor(POINTS ** (pick(1e6) / 1e6)) - 1;
  return Uint32Array.from({ length: requests }, among);
}

/**
 * The nearest of `length` places. `latOf` and `lngOf` give the coordinates of place i, and
 * `placeOf` its id, name and country. One pass, which keeps the ten with the shortest chords of the
 * unit sphere.
 */
function search(length, lat0, lng0, latOf, lngOf, placeOf) {
  const radians = Math.PI / 180;
  const cos0 = Math.cos(lat0 * radians);
  const best = [];
  const chords = [];
  let limit = Infinity;
  for (let i = 0; i < length; i++) {
    const lat = latOf(i);
    const s = Math.sin((lat - lat0) * (radians / 2));
    if (s * s >= limit) continue;
    const t = Math.sin((lngOf(i) - lng0) * (radians / 2));
    const chord = s * s + cos0 * Math.cos(lat * radians) * t * t;
    if (chord >= limit) continue;
    let at = chords.length;
    while (at > 0 && chords[at - 1] > chord) at--;
    chords.splice(at, 0, chord);
    best.splice(at, 0, i);
    if (chords.length > COUNT) {
      chords.pop();
      best.pop();
    }
    if (chords.length === COUNT) limit = chords[COUNT - 1];
  }
  return best.map((i) => ({ ...placeOf(i), km: distance(lat0, lng0, latOf(i), lngOf(i)) }));
}

/** The answer from columns of HashMaps. */
export function nearby({ lat, lng, name, country }, point) {
  const { keys, values: lats } = lat.columns();
  const { values: lngs } = lng.columns();
  const { lat: lat0, lng: lng0 } = coordinatesOf(point);
  const placeOf = (i) => ({ id: keys[i], name: name.get(keys[i]), country: country.get(keys[i]) });
  return search(
    lats.length,
    lat0,
    lng0,
    (i) => lats[i],
    (i) => lngs[i],
    placeOf,
  );
}

/** The same from objects. */
export function nearbyPlain({ all }, point) {
  const { lat, lng } = coordinatesOf(point);
  const placeOf = (i) => ({ id: all[i].id, name: all[i].name, country: all[i].country });
  return search(
    all.length,
    lat,
    lng,
    (i) => all[i].lat,
    (i) => all[i].lng,
    placeOf,
  );
}
