/** Typical queries of a geo service, answered by both sides. */
import { median } from '../lib/clock.mjs';
import { countInBoxPlain, nearestPlain } from '../lib/plain.mjs';
import { answers, count, dim, heading, ms } from '../lib/screen.mjs';
import { countInBox, distance, idsOfCountry, idsOfName, nearest } from '../lib/tables.mjs';

export const title = 'Queries';

/** @type {[string, number, number][]} */
const POINTS = [
  ['the Eiffel Tower', 48.8584, 2.2945],
  ['the summit of Everest', 27.9881, 86.925],
  ['Easter Island’s crater', -27.1852, -109.4398],
  ['0°, 0°', 0, 0],
];

/** @type {[string, [number, number, number, number]][]} south, west, north, east */
const BOXES = [
  ['the Alps', [44.0, 5.5, 48.0, 16.0]],
  ['north of the Arctic Circle', [66.5634, -180, 90, 180]],
];

/** The most frequent first; ties in alphabetical order, so that both sides have the same order. */
const byFrequency = (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);

function commonNames(tables) {
  const found = [];
  for (const [name, id] of tables.first) {
    let length = 1;
    for (let later = tables.next.get(id); later !== undefined; later = tables.next.get(later)) length++;
    if (length > 20) found.push([name, length]);
  }
  return found.sort(byFrequency).slice(0, 5);
}

function commonNamesPlain(plain) {
  const found = [];
  for (const [name, list] of plain.byName) if (list.length > 20) found.push([name, list.length]);
  return found.sort(byFrequency).slice(0, 5);
}

const place = (tables, id) => `${tables.name.get(id)}, ${tables.country.get(id)}`;

function springfields({ tables, plain, checks }) {
  const ids = idsOfName(tables, 'Springfield');
  const expected = plain.byName.get('Springfield') ?? [];
  checks.sameList(
    'Springfields',
    ids,
    expected.map(({ id }) => id),
  );
  const countries = new Map();
  for (const id of ids) {
    const code = tables.country.get(id);
    countries.set(code, (countries.get(code) ?? 0) + 1);
  }
  const parts = [...countries].sort(byFrequency).map(([code, n]) => `${n} in ${code}`);
  return ['places named Springfield', `${ids.length}: ${parts.join(', ')}`];
}

function nearestTo({ tables, plain, checks }) {
  return POINTS.map(([where, lat, lng]) => {
    const id = nearest(tables, lat, lng);
    checks.same(`nearest to ${where}`, id, nearestPlain(plain, lat, lng).id);
    const km = distance(lat, lng, tables.lat.get(id), tables.lng.get(id));
    return [
      `nearest to ${where}`,
      `${place(tables, id)}  ${dim(`${km < 10 ? km.toFixed(1) : km.toFixed(0)} km`)}`,
    ];
  });
}

function boxes({ tables, plain, checks }) {
  return BOXES.map(([what, box]) => {
    const found = countInBox(tables, box);
    checks.same(what, found, countInBoxPlain(plain, box));
    return [`places in ${what}`.replace('in north', 'north'), count(found)];
  });
}

function largestCountries({ tables, plain, checks }) {
  const largest = [...tables.counts].sort(byFrequency).slice(0, 5);
  const expected = [...plain.byCountry].map(([code, list]) => [code, list.length]).sort(byFrequency);
  checks.sameList('countries', largest.flat(), expected.slice(0, 5).flat());
  return ['countries with most places', largest.map(([code, n]) => `${code} ${count(n)}`).join('  ')];
}

function northernmost({ tables, plain, checks }) {
  const code = 'IS';
  let best;
  for (const id of idsOfCountry(tables, code)) {
    if (best === undefined || tables.lat.get(id) > tables.lat.get(best)) best = id;
  }
  const expected = (plain.byCountry.get(code) ?? []).reduce((a, b) => (b.lat > a.lat ? b : a));
  checks.same('northernmost of Iceland', best, expected.id);
  return [
    'northernmost place of Iceland',
    `${tables.name.get(best)}  ${dim(`${tables.lat.get(best).toFixed(2)}° N`)}`,
  ];
}

export async function run(world) {
  heading(title);
  const { tables, plain, checks } = world;
  const names = commonNames(tables);
  checks.sameList('common names', names.flat(), commonNamesPlain(plain).flat());
  answers([
    springfields(world),
    ['most common names', names.map(([name, n]) => `${name} ${n}`).join('  ')],
    ...nearestTo(world),
    ...boxes(world),
    largestCountries(world),
    northernmost(world),
  ]);
  const row = (label, ours, other) => ({ label, ours: ms(ours), plain: ms(other), ratio: other / ours });
  const [, lat, lng] = POINTS[0];
  const [, box] = BOXES[0];
  return [
    row(
      'nearest place to a point (scan of two columns)',
      median(() => nearest(tables, lat, lng), 15),
      median(() => nearestPlain(plain, lat, lng), 15),
    ),
    row(
      'places in a box (scan of two columns)',
      median(() => countInBox(tables, box), 15),
      median(() => countInBoxPlain(plain, box), 15),
    ),
  ];
}
