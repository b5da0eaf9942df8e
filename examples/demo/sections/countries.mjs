/**
 * The places as columns sorted by country, in little more than the minimum number of bits: a bit
 * vector marks the first row of each country, and coordinates are packed integers. The peer is an
 * array of the same records in the same order.
 *
 * With a one at the first row of each country, row i is of country number rank1(i + 1) − 1, and
 * country c begins at row select1(c): its k-th place is row select1(c) + k.
 */
import { BitVector, PackedInts, RankSelect } from 'offheap/succinct';
import { rates, repeatable } from '../lib/clock.mjs';
import { answers, count, heading, megabytes, perSecond } from '../lib/screen.mjs';

export const title = 'Rows sorted by country';
const QUERIES = 1_000_000;
/** The number of timed queries of each kind. */
const TIMED = 1 << 16;
/** The data has five decimals, so a degree has this many steps. */
const STEPS = 100_000;

/** @param {import('../lib/plain.mjs').Plain} plain */
function build({ byCountry }) {
  const countries = [...byCountry.keys()].sort();
  const records = countries.flatMap((code) => byCountry.get(code) ?? []);
  const starts = [];
  for (let row = 0, c = 0; c < countries.length; row += byCountry.get(countries[c++])?.length ?? 0) {
    starts.push(row);
  }
  // Latitude is counted from the south pole and longitude from the antimeridian: integers from 0
  // on.
  const column = (/** @type {'lat' | 'lng'} */ name, /** @type {number} */ from) =>
    PackedInts.from(Float64Array.from(records, (city) => Math.round((city[name] - from) * STEPS)));
  return {
    countries,
    records,
    starts,
    rows: RankSelect.from(BitVector.fromIndices(starts, records.length)),
    lat: column('lat', -90),
    lng: column('lng', -180),
  };
}

export async function run(world) {
  heading(title);
  const { plain, checks } = world;
  const { countries, records, starts, rows, lat, lng } = build(plain);
  const n = records.length;

  // Every row, and the range of every country.
  checks.sameList(
    'country of row',
    records.map((_, row) => countries[rows.rank1(row + 1) - 1]),
    records.map(({ country }) => country),
  );
  const inSteps = (/** @type {number} */ degrees, /** @type {number} */ from) =>
    Math.round((degrees - from) * STEPS);
  checks.sameList(
    'latitude of row',
    [...lat],
    records.map((city) => inSteps(city.lat, -90)),
  );
  checks.sameList(
    'longitude of row',
    [...lng],
    records.map((city) => inSteps(city.lng, -180)),
  );
  checks.sameList(
    'first row of country',
    countries.map((_, c) => rows.select1(c)),
    starts,
  );

  // A million queries of each kind.
  const pick = repeatable(11);
  const asked = Uint32Array.from({ length: QUERIES }, () => pick(n));
  const after = asked.map((row) => row + 1);
  const which = Uint32Array.from({ length: QUERIES }, () => pick(countries.length));
  const ks = which.map((c) => pick((starts[c + 1] ?? n) - starts[c]));

  checks.sameList(
    'country of a random row',
    Array.from(rows.rank1Many(after), (number) => countries[number - 1]),
    Array.from(asked, (row) => records[row].country),
  );
  const kth = rows.select1Many(which).map((first, i) => first + ks[i]);
  checks.sameList(
    'latitude of the k-th place of a country',
    lat.getMany(kth),
    Array.from(which, (c, i) => inSteps(plain.byCountry.get(countries[c])[ks[i]].lat, -90)),
  );

  // Plain JavaScript: the country is a field of each record; an array contains the first rows.
  const numberOf = new Map(countries.map((code, c) => [code, c]));
  const row = (label, [ours, other]) => ({
    label,
    ours: perSecond(ours),
    plain: perSecond(other),
    ratio: ours / other,
  });
  const sum = (answer) => () => {
    let total = 0;
    for (let i = 0; i < TIMED; i++) total += answer(i);
    return total;
  };
  const [someAfter, someWhich] = [after.subarray(0, TIMED), which.subarray(0, TIMED)];
  const out = new Uint32Array(TIMED);
  const degrees = new Float64Array(TIMED);
  const table = [
    row(
      'country of row i',
      rates(
        TIMED,
        sum((i) => rows.rank1(asked[i] + 1) - 1),
        sum((i) => numberOf.get(records[asked[i]].country)),
      ),
    ),
    row(
      'country of row i, in bulk',
      rates(
        TIMED,
        () => rows.rank1Many(someAfter, out),
        () => {
          for (let i = 0; i < TIMED; i++) out[i] = numberOf.get(records[asked[i]].country) + 1;
        },
      ),
    ),
    row(
      'latitude of the k-th place of a country',
      rates(
        TIMED,
        sum((i) => lat.at(rows.select1(which[i]) + ks[i])),
        sum((i) => records[starts[which[i]] + ks[i]].lat),
      ),
    ),
    row(
      'the same, in bulk',
      rates(
        TIMED,
        () => {
          rows.select1Many(someWhich, out);
          for (let i = 0; i < TIMED; i++) out[i] += ks[i];
          lat.getMany(out, out);
        },
        () => {
          for (let i = 0; i < TIMED; i++) degrees[i] = records[starts[which[i]] + ks[i]].lat;
        },
      ),
    ),
  ];

  const bits = (/** @type {{ byteLength: number }} */ { byteLength }) => (byteLength * 8) / n;
  const held = rows.byteLength + lat.byteLength + lng.byteLength;
  // The same data as typed arrays: a byte and two doubles per place.
  const arrays = n * (1 + 8 + 8);
  answers([
    [
      'countries',
      `${bits(rows).toFixed(2)} bits per place, including the rank/select index of ${(rows.overhead * 100).toFixed(1)}%`,
    ],
    ['coordinates', `${lat.bitsPerValue} + ${lng.bitsPerValue} bits per place, without loss of precision`],
    ['queries', `${count(QUERIES)} of each kind, each compared with the answer of the array`],
  ]);
  for (const structure of [rows, lat, lng]) structure.close();
  return [
    ...table,
    {
      label: 'memory, beside typed arrays',
      ours: megabytes(held),
      plain: megabytes(arrays),
      ratio: arrays / held,
    },
  ];
}
