/** Random lookups, one at a time and in bulk, each compared with a Map of the same contents. */
import { rates, repeatable } from '../lib/clock.mjs';
import { answers, count, heading, perSecond } from '../lib/screen.mjs';

export const title = 'Lookups';
const QUERIES = 1 << 18;

export async function run(world) {
  heading(title);
  const { tables, plain, checks } = world;
  const pick = repeatable(7);
  const chosen = Array.from({ length: QUERIES }, () => plain.all[pick(plain.all.length)]);
  const ids = Uint32Array.from(chosen, ({ id }) => id);
  const names = chosen.map(({ name }) => name);
  // The same names as new string objects, such as those parsed from requests.
  const text = Buffer.from(names.join('\n'));
  const fresh = () => text.toString().split('\n');

  // The Maps of plain JavaScript contain numbers here, like the HashMaps, instead of references to
  // records.
  const latOf = new Map(plain.all.map(({ id, lat }) => [id, lat]));
  const firstOf = new Map([...plain.byName].map(([name, list]) => [name, list[0].id]));

  const out = new Float64Array(QUERIES);
  tables.lat.getMany(ids, out);
  for (let i = 0; i < QUERIES; i++) {
    checks.same(`latitude of ${ids[i]}, in bulk`, out[i], chosen[i].lat);
    checks.same(`first id of ${names[i]}`, tables.first.get(names[i]), firstOf.get(names[i]));
  }

  const sumOfGets = (map) => () => {
    let sum = 0;
    for (let i = 0; i < QUERIES; i++) sum += map.get(ids[i]);
    return sum;
  };
  const namesIn = (map, list) => () => {
    const asked = list();
    let sum = 0;
    for (let i = 0; i < QUERIES; i++) sum += map.get(asked[i]);
    return sum;
  };
  const kept = () => names;
  const row = (label, [ours, other]) => ({
    label,
    ours: perSecond(ours),
    plain: perSecond(other),
    ratio: ours / other,
  });
  const rows = [
    row('id → latitude, one at a time', rates(QUERIES, sumOfGets(tables.lat), sumOfGets(latOf))),
    row(
      'id → latitude, in bulk',
      rates(
        QUERIES,
        () => tables.lat.getMany(ids, out),
        () => {
          for (let i = 0; i < QUERIES; i++) out[i] = /** @type {number} */ (latOf.get(ids[i]));
        },
      ),
    ),
    row(
      'name → id, the inserted string objects',
      rates(QUERIES, namesIn(tables.first, kept), namesIn(firstOf, kept)),
    ),
    row(
      'name → id, new string objects',
      rates(QUERIES, namesIn(tables.first, fresh), namesIn(firstOf, fresh)),
    ),
  ];
  answers([['lookups', `${count(QUERIES)} random ids and names, each compared with the answer of a Map`]]);
  return rows;
}
