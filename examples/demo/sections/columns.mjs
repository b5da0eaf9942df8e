/**
 * The latitudes as a column of numbers: sorted from south to north, and those between two
 * latitudes.
 */
import { Vector } from 'offheap/vector';
import { timed } from '../lib/clock.mjs';
import { answers, count, heading, ms } from '../lib/screen.mjs';

export const title = 'Columns';
/** Degrees from the equator. */
const TROPIC = 23.4394;

export async function run(world) {
  heading(title);
  const { cities, checks } = world;
  const column = cities.map(({ lat }) => lat);

  const lats = Vector.from('f64', column);
  const ordered = timed(() => lats.argsort());
  const plainOrdered = timed(() =>
    Uint32Array.from(column, (_, i) => i).sort((i, j) => column[i] - column[j] || i - j),
  );
  checks.sameList('places from south to north', [...ordered.result], [...plainOrdered.result]);
  const [south, north] = [cities[ordered.result[0]], cities[ordered.result[ordered.result.length - 1]]];

  const sum = column.reduce((total, lat) => total + lat, 0);
  checks.same('mean latitude', (lats.sum() / lats.length).toFixed(9), (sum / column.length).toFixed(9));
  checks.same('southernmost', lats.min(), south.lat);
  checks.same('northernmost', lats.max(), north.lat);
  checks.same('index of a latitude', lats.indexOf(north.lat), column.indexOf(north.lat));

  const sorted = Vector.from('f64', column);
  const plain = Float64Array.from(column);
  const sortMs = timed(() => sorted.sort()).ms;
  const plainMs = timed(() => plain.sort()).ms;
  checks.sameList('sorted latitudes', [...sorted.view], [...plain]);
  const [from, to] = sorted.binarySearchMany([-TROPIC, TROPIC]).map((at) => (at < 0 ? -at - 1 : at));
  checks.same('places in the tropics', to - from, column.filter((lat) => Math.abs(lat) < TROPIC).length);

  answers([
    ['southernmost', `${south.name} (${south.country}), ${south.lat}°`],
    ['northernmost', `${north.name} (${north.country}), ${north.lat}°`],
    ['median', `${sorted.at(sorted.length >> 1)}°`],
    ['in the tropics', `${count(to - from)} of ${count(sorted.length)} places`],
  ]);
  lats.close();
  sorted.close();
  return [
    {
      label: 'indices from south to north',
      ours: ms(ordered.ms),
      plain: ms(plainOrdered.ms),
      ratio: plainOrdered.ms / ordered.ms,
    },
    { label: 'sort a column', ours: ms(sortMs), plain: ms(plainMs), ratio: plainMs / sortMs },
  ];
}
