/**
 * Builds both services from the same records, and compares every entry of the one with the other.
 */
import { timed } from '../lib/clock.mjs';
import { buildPlain } from '../lib/plain.mjs';
import { answers, count, heading, megabytes, ms } from '../lib/screen.mjs';
import { bytesOf, buildTables, idsOfCountry, idsOfName } from '../lib/tables.mjs';

export const title = 'Build';

/** Compares every entry. The reopened tables are checked by the same function. */
export function checkEverything(checks, tables, plain) {
  for (const city of plain.all) {
    checks.same(`name of ${city.id}`, tables.name.get(city.id), city.name);
    checks.same(`country of ${city.id}`, tables.country.get(city.id), city.country);
    checks.same(`latitude of ${city.id}`, tables.lat.get(city.id), city.lat);
    checks.same(`longitude of ${city.id}`, tables.lng.get(city.id), city.lng);
  }
  for (const [name, list] of plain.byName) {
    checks.sameList(
      `places called ${name}`,
      idsOfName(tables, name),
      list.map(({ id }) => id),
    );
  }
  for (const [code, list] of plain.byCountry) {
    checks.same(`number of places in ${code}`, tables.counts.get(code), list.length);
    checks.sameList(
      `places in ${code}`,
      idsOfCountry(tables, code),
      list.map(({ id }) => id),
    );
  }
  checks.same('names', tables.first.size, plain.byName.size);
  checks.same('places', tables.lat.size, plain.all.length);
  checks.same('countries', tables.counts.size, plain.byCountry.size);
  checks.same('an absent id', tables.lat.get(absentId(plain)), undefined);
  checks.same('an absent name', tables.first.get('Nowhere in Particular'), undefined);
}

function absentId(plain) {
  let id = 1;
  while (plain.byId.has(id)) id++;
  return id;
}

export async function run(world) {
  heading(title);
  const plain = timed(() => buildPlain(world.cities));
  const ours = timed(() => buildTables(world.cities));
  world.plain = plain.result;
  world.tables = ours.result;
  world.plainBuildMs = plain.ms;
  checkEverything(world.checks, world.tables, world.plain);
  const { name, first, next, counts } = world.tables;
  answers([
    ['places', `${count(name.size)} in ${count(counts.size)} countries and territories`],
    [
      'names',
      `${count(first.size)} different ones; ${count(next.size)} places share theirs with an earlier place`,
    ],
    ['tables', `8 HashMaps, ${megabytes(bytesOf(world.tables))} outside the JavaScript heap`],
  ]);
  return [{ label: 'build all tables', ours: ms(ours.ms), plain: ms(plain.ms), ratio: plain.ms / ours.ms }];
}
