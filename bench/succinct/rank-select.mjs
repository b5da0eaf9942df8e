/**
 * BitVector and RankSelect compared with mnemonist's BitVector, which counts from bit 0 on, and
 * CRoaring's bitmaps. "A loop over the queries" queries no structure: the difference between it and
 * a result is the cost of the structure.
 */
import { RankSelect } from '../../dist/succinct/index.js';
import { serve } from '../lib/child.mjs';
import { turns } from '../lib/measure.mjs';
import { count } from '../lib/table.mjs';
import { bitVector, MOST, mnemonistBits, randomWords, roarings } from './bits.mjs';
import { every, generator, instancesOf, rally } from './measures.mjs';

/** @typedef {import('../lib/report.mjs').Pair} Row */
/** @typedef {import('./measures.mjs').Contender} Contender */

const QUERIES = 1 << 16;
/** Up to this number of bits, two instances and their queries fit the caches of the core. */
const IN_CACHE = 1e6;
/** From this number on, the bits do not fit the caches. */
const LARGE = 1e8;
const FLOOR = 'a loop over the queries';
const VARIANTS = ['flat', 'interleaved', 'sparse'];

serve(({ n, quick }) => (quick ? [1, 50] : [1, 10, 50, 90]).map((percent) => section(n, percent, quick)));

function section(n, percent, quick) {
  const random = generator(percent);
  const words = Array.from({ length: instancesOf(n) }, () => randomWords(random, n, percent));
  const bits = words.map((list) => bitVector(list, n));
  const sets = structures(n, percent, words, bits);
  const { flat } = sets;

  const numbers = (/** @type {(at: number) => number} */ below, from = 0) =>
    flat.map((_, i) => {
      const made = n < 2 ** 32 ? new Uint32Array(QUERIES) : new Float64Array(QUERIES);
      return made.map(() => from + Math.floor(random() * below(i)));
    });
  const at = numbers(() => n - 1, 1);
  const ks = numbers((i) => flat[i].ones);
  const zeros = numbers((i) => flat[i].zeros);
  const goal = (/** @type {number} */ below) => (n <= IN_CACHE ? { below } : {});

  /** @type {Row[]} */
  const rows = [
    ...single(
      quick,
      'BitVector.get',
      at,
      { bits, ...sets },
      {
        ours: { bits: '+m.get(a[i])' },
        mnemonist: 'm.get(a[i])',
        roaring: '+m.has(a[i])',
      },
    ),
    ...single(quick, 'get', at, sets, { ours: own(sets, '+m.get(a[i])') }),
    ...single(quick, 'rank1', at, sets, {
      ours: own(sets, 'm.rank1(a[i])'),
      mnemonist: 'm.rank(a[i])',
      roaring: 'm.rank(a[i] - 1)',
      goals: goal(10),
    }),
    ...single(quick, 'select1', ks, sets, {
      ours: own(sets, 'm.select1(a[i])'),
      // Its numbers start at 1. It returns wrong results if a word has no ones.
      mnemonist: percent >= 50 ? 'm.select(a[i] + 1)' : undefined,
      roaring: 'm.select(a[i])',
      goals: goal(25),
    }),
    ...single(quick, 'select0', zeros, sets, { ours: own(sets, 'm.select0(a[i])') }),
    ...many(quick, 'rank1', at, sets, n),
    ...many(quick, 'select1', ks, sets, n),
    ...building(quick, bits, n),
    ...held(sets, n),
  ];
  for (const name of ['bits', ...VARIANTS]) for (const one of sets[name] ?? []) one.close?.();
  return { title: `RankSelect, ${count(n)} bits, ${percent}% of them ones`, rows };
}

/**
 * The contenders by name: ours, and the peers that are installed.
 *
 * @returns {Record<string, any[]>}
 */
function structures(n, percent, words, bits) {
  const of = (/** @type {import('../../dist/succinct/index.js').RankSelectVariant} */ variant) =>
    bits.map((/** @type {any} */ from) => RankSelect.from(from, { variant }));
  const sets = { flat: of('flat'), interleaved: of('interleaved') };
  // The variant that `auto` chooses for few ones or zeros.
  if (percent <= 10) sets.sparse = of('sparse');
  if (n <= MOST.mnemonist) sets.mnemonist = words.map((list, i) => mnemonistBits(list, bits[i]));
  for (const [name, { make }] of Object.entries(roarings)) {
    if (n <= MOST[/** @type {'roaring'} */ (name)])
      sets[name] = bits.map((/** @type {any} */ from) => make(from.ones()));
  }
  return sets;
}

/** One body per variant. */
const own = (/** @type {object} */ sets, /** @type {string} */ body) =>
  Object.fromEntries(VARIANTS.flatMap((name) => (name in sets ? [[name, body]] : [])));

/**
 * Races all contenders that support a query, checks each against the first of ours, and returns a
 * row for each pair.
 */
function single(quick, title, queries, sets, { ours, mnemonist, roaring, goals = {} }) {
  const bodies = { ...ours };
  if (mnemonist !== undefined) bodies.mnemonist = mnemonist;
  if (roaring !== undefined) for (const name of Object.keys(roarings)) bodies[name] = roaring;
  /** @type {Record<string, Contender>} */
  const contenders = {};
  for (const [name, body] of Object.entries(bodies)) {
    if (!(name in sets)) continue;
    const slow =
      name === 'mnemonist' && !title.endsWith('get') && queries[0].length * sets.flat[0].length > 1e11;
    contenders[name] = { body: every(body), on: sets[name], slow };
  }
  agree(contenders, queries, title);
  contenders[FLOOR] = { body: every('a[i]'), on: sets.flat };
  const raced = rally(quick, contenders, { queries, check: false });
  const mine = Object.keys(ours);
  const peers = Object.keys(raced).filter((name) => !mine.includes(name) && name !== FLOOR);
  const row = (/** @type {string} */ name) => ({
    title: name === 'bits' ? title : `${title}, ${name}`,
    ours: raced[name].ns,
    raw: { ours: raced[name].rounds },
  });
  const ratio = 'below' in goals ? { ratio: 10 } : {};
  return [
    { ...row(FLOOR), title: FLOOR },
    ...mine.map((name, i) => ({ ...row(name), ...(i === 0 ? goals : {}) })),
    ...peers.map((peer) => ({ ...row(mine[0]), peer, theirs: raced[peer].ns, ...ratio })),
  ];
}

/** Throws if the results of two contenders differ for the first queries. */
function agree(contenders, queries, title) {
  const answers = Object.entries(contenders).map(([name, { body, on }]) => {
    const run = new Function('m, a, out, from, to', body);
    return [name, on.map((m, i) => run(m, queries[i], undefined, 0, 4)).join()];
  });
  for (const [name, answer] of answers) {
    if (answer !== answers[0][1])
      throw new Error(`${title}: ${name} returns ${answer}, not ${answers[0][1]}`);
  }
}

/** The bulk call compared with a loop over single calls. */
function many(quick, method, queries, sets, n) {
  const Type = n < 2 ** 32 ? Uint32Array : Float64Array;
  const sum = 'let sum = 0; for (let i = 0; i < 64; i++) sum += o[i]; return sum;';
  return Object.keys(own(sets, '')).map((name) => {
    const on = sets[name].map((structure) => ({ structure, out: new Type(QUERIES) }));
    const { bulk, loop } = rally(
      quick,
      {
        bulk: {
          body: `const o = m.out.subarray(0, to - from); m.structure.${method}Many(a.subarray(from, to), o); ${sum}`,
          on,
        },
        loop: {
          body: `const o = m.out, s = m.structure; for (let i = from; i < to; i++) o[i - from] = s.${method}(a[i]); ${sum}`,
          on,
        },
      },
      { queries },
    );
    return {
      title: `${method}Many, ${name}`,
      ours: bulk.ns,
      peer: `loop over ${method}`,
      theirs: loop.ns,
      ...(n >= LARGE ? { ratio: 3 } : {}),
      raw: { ours: bulk.rounds, peer: loop.rounds },
    };
  });
}

/** Per bit. */
function building(quick, bits, n) {
  return VARIANTS.map((name) => {
    const variant = /** @type {'flat'} */ (name);
    const { built } = turns(
      [{ name: 'built', work: () => bits.forEach((from) => RankSelect.from(from, { variant }).close()) }],
      { rounds: quick ? 5 : 11, budgetNs: 2e9, units: bits.length * n },
    );
    const goals = name === 'flat' && n > IN_CACHE ? { below: 0.05 } : {};
    return {
      title: `from a BitVector, ${name}, per bit`,
      ours: built.ns,
      ...goals,
      raw: { ours: built.rounds },
    };
  });
}

/** The whole region counts: index, samples, header, padding. */
function held(sets, n) {
  const mine = Object.keys(own(sets, ''));
  return [
    ...mine.map((name) => ({
      title: `overhead, ${name}`,
      unit: '%',
      ours: sets[name][0].overhead * 100,
      ...(name === 'flat' && n >= IN_CACHE ? { below: 5 } : {}),
    })),
    ...Object.keys(roarings)
      .filter((name) => name in sets)
      .slice(0, 1)
      .flatMap((peer) =>
        mine.map((name) => ({
          title: `memory per bit, ${name}`,
          unit: 'bits',
          ours: (sets[name][0].byteLength * 8) / n,
          peer,
          theirs: (roarings[peer].bytes(sets[peer][0]) * 8) / n,
        })),
      ),
  ];
}
