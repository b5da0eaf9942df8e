/**
 * A small map of attributes for each place: in one arena, as objects, and as Maps. Compares the
 * memory they use, their cost to the garbage collector, and the cost of reading one attribute of a
 * random place.
 */
import { SmallMapArena } from 'offheap/smallmap';
import { collector, median, rates, repeatable } from '../lib/clock.mjs';
import { answers, count, heading, megabytes, ms, perSecond } from '../lib/screen.mjs';

export const title = 'A small map for each place';
const QUERIES = 1 << 17;

/**
 * The attributes by name: those of the source, and others derived from them. A place has three to
 * five.
 */
function attributesOf({ lat, lng, name }) {
  const list = [
    ['lat', lat],
    ['lng', lng],
    ['name length', name.length],
  ];
  if (Math.abs(lat) < 23.4) list.push(['tropical', 1]);
  if (name.includes(' ')) list.push(['words', name.split(' ').length]);
  return list;
}

export function run(world) {
  heading(title);
  const { cities, checks } = world;
  const lists = cities.map(attributesOf);
  const collect = collector();
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };

  const arena = new SmallMapArena({ key: 'string', value: 'f64', capacity: cities.length });
  // The ids of a new arena are 0, 1, 2, …: the indices of the places in the list.
  for (const list of lists) {
    const id = arena.create();
    for (const [name, value] of list) arena.set(id, name, value);
  }
  arena.shrinkToFit();
  const quiet = heap();
  const pauseWithout = median(collect);
  const maps = lists.map((list) => new Map(list));
  const mapBytes = heap() - quiet;
  const pauseWith = median(collect);
  const before = heap();
  const objects = lists.map((list) => Object.fromEntries(list));
  const objectBytes = heap() - before;

  for (let i = 0; i < cities.length; i++) {
    checks.same(`number of attributes of ${cities[i].name}`, arena.size(i), maps[i].size);
    for (const [name, value] of lists[i])
      checks.same(`${name} of ${cities[i].name}`, arena.get(i, name), value);
    checks.same(`an absent attribute of ${cities[i].name}`, arena.get(i, 'none'), undefined);
  }

  const pick = repeatable(11);
  const ids = Uint32Array.from({ length: QUERIES }, () => pick(cities.length));
  const lng = new Array(QUERIES).fill('lng');
  const out = new Float64Array(QUERIES);
  const [one, many, plain, object] = rates(
    QUERIES,
    () => {
      let sum = 0;
      for (let i = 0; i < QUERIES; i++) sum += arena.get(ids[i], lng[i]);
      return sum;
    },
    () => arena.getMany(ids, lng, out),
    () => {
      let sum = 0;
      for (let i = 0; i < QUERIES; i++) sum += maps[ids[i]].get(lng[i]);
      return sum;
    },
    () => {
      let sum = 0;
      for (let i = 0; i < QUERIES; i++) sum += objects[ids[i]][lng[i]];
      return sum;
    },
  );
  for (let i = 0; i < QUERIES; i += 64) checks.same(`lng of ${ids[i]}, in bulk`, out[i], cities[ids[i]].lng);
  const bytes = arena.byteLength;
  answers([
    [
      'attributes',
      `${count(lists.reduce((sum, list) => sum + list.length, 0))} in small maps of ${count(arena.count)} places`,
    ],
    [
      'memory',
      `${megabytes(bytes)} in an arena, ${megabytes(objectBytes)} as objects, ${megabytes(mapBytes)} as Maps`,
    ],
  ]);
  arena.close();
  return [
    {
      label: 'memory, beside Maps',
      ours: megabytes(bytes),
      plain: megabytes(mapBytes),
      ratio: mapBytes / bytes,
    },
    {
      label: 'memory, beside objects',
      ours: megabytes(bytes),
      plain: megabytes(objectBytes),
      ratio: objectBytes / bytes,
    },
    {
      label: 'full collection; plain: with the Maps alive',
      ours: ms(pauseWithout),
      plain: ms(pauseWith),
      ratio: pauseWith / pauseWithout,
    },
    {
      label: 'one attribute, beside Maps',
      ours: perSecond(one),
      plain: perSecond(plain),
      ratio: one / plain,
    },
    {
      label: 'one attribute, beside objects',
      ours: perSecond(one),
      plain: perSecond(object),
      ratio: one / object,
    },
    {
      label: 'attributes in bulk, beside Maps',
      ours: perSecond(many),
      plain: perSecond(plain),
      ratio: many / plain,
    },
  ];
}
