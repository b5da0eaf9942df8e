/** Saves the tables, opens them by mapping, and compares every entry again. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HashMap } from 'offheap/hashmap';
import { timed } from '../lib/clock.mjs';
import { answers, heading, megabytes, ms } from '../lib/screen.mjs';
import { TABLES, closeTables, idsOfName } from '../lib/tables.mjs';
import { checkEverything } from './build.mjs';

export const title = 'Files';

const fileOf = (folder, table) => join(folder, `${table}.offheap`);

export async function run(world) {
  heading(title);
  const folder = mkdtempSync(join(tmpdir(), 'offheap-demo-'));
  try {
    const started = performance.now();
    for (const table of TABLES) await world.tables[table].save(fileOf(folder, table));
    const saveMs = performance.now() - started;
    const bytes = TABLES.reduce((sum, table) => sum + statSync(fileOf(folder, table)).size, 0);

    const opened = timed(() => {
      const entries = TABLES.map((table) => [table, HashMap.open(fileOf(folder, table), { mode: 'r' })]);
      const tables = Object.fromEntries(entries);
      return { tables, springfields: idsOfName(tables, 'Springfield').length };
    });
    world.checks.same(
      'Springfields in the file',
      opened.result.springfields,
      world.plain.byName.get('Springfield').length,
    );
    checkEverything(world.checks, opened.result.tables, world.plain);
    for (const table of TABLES) opened.result.tables[table].validate();
    closeTables(opened.result.tables);

    // Without a file to map, a restart parses the records and rebuilds the Maps.
    const restart = world.parseMs + world.plainBuildMs;
    answers([
      ['saved', `${TABLES.length} files, ${megabytes(bytes)}, in ${ms(saveMs)}`],
      ['reopened', `mapped, not parsed; first answer after ${ms(opened.ms)}; every entry compared again`],
    ]);
    return [
      {
        label: 'restart: open all tables, first answer',
        ours: ms(opened.ms),
        plain: ms(restart),
        ratio: restart / opened.ms,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
