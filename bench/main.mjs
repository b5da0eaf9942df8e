/**
 * `npm run bench -- <suite> [options]`: ours, the peers and the ratios in one run. A suite is a
 * folder with an index.mjs; without arguments, the command lists them.
 *
 *   --quick             about a minute: fewer sizes, shorter rounds, peers at small sizes only
 *   --only get,memory   only these operations or sections; an unknown word lists the known ones
 *   --sizes 1e3,1e5     these sizes, for every kind of keys
 *                       (4 Gbit: succinct --only bits --sizes 4294967296)
 *   --keys u32,string   these kinds of keys
 *   --out <file>        the file for the results (bench/results/<name>-<node>-<date>.json)
 *
 * `npm run bench -- report <file> [--readme]` prints saved results again, or writes them to
 * README.md and docs/benchmarks/<suite>.md, between the markers there, and draws the plots of that
 * page.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dim } from './lib/table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
/** The folders with an index.mjs. */
const suites = readdirSync(here).filter((name) => existsSync(join(here, name, 'index.mjs')));

/**
 * A suite exports `measure`, `headline` (the meaning of its columns), and, if the common ones do
 * not serve it, `report` (see lib/report.mjs) and `mostElements`.
 * @param {string} name
 */
const load = async (name) => ({
  report: await import('./lib/report.mjs'),
  mostElements: 2 ** 24,
  ...(await import(`./${name}/index.mjs`)),
});

const read = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'));

/** The machine and the versions on which the numbers depend. */
function machine() {
  const { dependencies, optionalDependencies } = read(join(here, 'package.json'));
  const versions = Object.fromEntries(
    Object.keys({ ...dependencies, ...optionalDependencies }).map((name) => {
      try {
        return [name, read(join(here, 'node_modules', name, 'package.json')).version];
      } catch {
        return [name, 'absent'];
      }
    }),
  );
  return {
    date: new Date().toISOString(),
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    offheap: read(join(root, 'package.json')).version,
    ...versions,
  };
}

const describe = (/** @type {ReturnType<typeof machine>} */ on) =>
  `Node ${on.node}, ${on.platform}, ${on.cores} x ${on.cpu}, ${on.date.slice(0, 10)}`;

function list(/** @type {string | undefined} */ text) {
  return text?.split(',').map((part) => part.trim());
}

/** The times at which the measured files were built. */
function buildTimes() {
  const files = ['dist/index.js', 'build/Release/offheap.node'];
  return files.map((file) => statSync(join(root, file)).mtimeMs).join();
}

/** Results with six figures, and each list of rounds on one line. @param {object} found */
function written(found) {
  const round = (/** @type {string} */ _, /** @type {unknown} */ value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  const text = JSON.stringify(found, round, 1);
  return `${text.replace(/\[[-\d.e+,\s]+\]/g, (numbers) => numbers.replace(/\s+/g, ''))}\n`;
}

async function measure(name, values) {
  const { report, mostElements, ...suite } = await load(name);
  const sizes = list(values.sizes)?.map(Number);
  if (sizes?.some((n) => !Number.isInteger(n) || n < 1 || n > mostElements)) {
    throw new Error(`--sizes must be whole numbers up to ${mostElements}: ${values.sizes}`);
  }
  const on = machine();
  const started = performance.now();
  const built = buildTimes();
  console.log(`${name}: ${describe(on)}`);
  console.log(dim(suite.headline));
  const found = await suite.measure({
    quick: values.quick === true,
    only: list(values.only),
    sizes,
    keys: list(values.keys),
    say: console.log,
    show: (part) => console.log(report.text(part)),
  });
  const file =
    values.out ??
    join(here, 'results', `${name}-node${on.node.slice(1)}-${on.date.replace(/[:.]/g, '-')}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, written({ name, quick: values.quick === true, machine: on, ...found }));
  if (buildTimes() !== built)
    console.warn('\nThe build changed during this run, so its numbers are of two versions.');
  const took = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`\n${report.summary(found)}, in ${took} s. Results: ${relative(process.cwd(), file)}`);
}

/** How the repository formats its pages. @param {string} path */
async function formatting(path) {
  const { resolveConfig } = await import('prettier');
  return { ...(await resolveConfig(path)), filepath: path };
}

async function show(file, readme) {
  if (file === undefined) throw new Error('report needs a file with results');
  const found = read(file);
  const { report } = await load(found.name);
  if (!readme) {
    console.log(
      `${found.name}: ${describe(found.machine)}\n${report.text(found)}\n\n${report.summary(found)}`,
    );
    return;
  }
  const pages = ['README.md', `docs/benchmarks/${found.name}.md`].map((page) => join(root, page));
  const [open, close] = [`<!-- bench:${found.name} -->`, `<!-- /bench:${found.name} -->`];
  const { format } = await import('prettier');
  let written = 0;
  for (const path of pages.filter((page) => existsSync(page))) {
    const text = readFileSync(path, 'utf8');
    const [from, to] = [text.indexOf(open), text.indexOf(close)];
    if (from < 0 || to < from) continue;
    const table = path.endsWith('README.md') && report.brief ? report.brief(found) : report.markdown(found);
    const body = `${open}\n\n${table}\n\n${describe(found.machine)}; medians.\n\n`;
    writeFileSync(path, await format(text.slice(0, from) + body + text.slice(to), await formatting(path)));
    written++;
  }
  for (const [name, svg] of Object.entries(report.plots?.(found) ?? {})) {
    writeFileSync(join(root, 'docs', 'images', name), svg);
  }
  if (written === 0) throw new Error(`README.md and docs/benchmarks have no ${open} … ${close}`);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string' },
      sizes: { type: 'string' },
      keys: { type: 'string' },
      out: { type: 'string' },
      readme: { type: 'boolean' },
    },
  });
  const [name, file] = positionals;
  if (name === 'report') await show(file, values.readme === true);
  else if (name !== undefined && suites.includes(name)) await measure(name, values);
  else throw new Error(`name a suite: ${suites.join(', ')} (or report <file>)`);
} catch (error) {
  // A wrong argument is reported in one line; an internal error keeps its stack.
  const plain = error instanceof Error && /^(name|--|report|Unknown option|README)/.test(error.message);
  console.error(plain ? `bench: ${error.message}` : error);
  process.exitCode = 1;
}
