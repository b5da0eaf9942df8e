/** One size in a process of its own: every operation, every contender, in turns. */
import { Vector as MnemonistVector } from 'mnemonist';
import { Vector } from '../../dist/vector/index.js';
import { serve } from '../lib/child.mjs';
import { compile, race, turns } from '../lib/measure.mjs';
import { BULK, ELEMENTS } from './operations.mjs';

const collect = /** @type {() => void} */ (globalThis.gc);
/**
 * The size up to which all instances that pass through a loop are full; above it, one is full and
 * the others are small.
 */
const LARGE = 2e6;
const COMPANION = 1000;
const QUERIES = 1 << 17;
/** An element that no random one is. */
const ABSENT = { f64: -1, u32: 4_294_967_295 };
const ASKED = 100_000;
const PAGE = 4096;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** An empty instance, and one that is full; a typed array is always full. */
const contenders = {
  Vector: {
    empty: () => new Vector('f64'),
    full: (/** @type {Float64Array} */ values) => Vector.from('f64', values),
    release: (/** @type {Vector} */ vector) => vector.close(),
  },
  Array: {
    empty: () => [],
    full: (/** @type {Float64Array} */ values) => Array.from(values),
    release() {},
  },
  TypedArray: {
    empty: (/** @type {number} */ n) => new Float64Array(n),
    full: (/** @type {Float64Array} */ values) => values.slice(),
    release() {},
  },
  mnemonist: {
    empty: () => new MnemonistVector(Float64Array, 0),
    full(/** @type {Float64Array} */ values) {
      const vector = new MnemonistVector(Float64Array, values.length);
      for (const value of values) vector.push(value);
      return vector;
    },
    release() {},
  },
};

/** Numbers from 0 to 2^32 - 2, the same each time. @param {number} n */
function randomValues(n) {
  let state = 88_172_645;
  return Float64Array.from({ length: n }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % 4_294_967_295;
  });
}

serve(({ what, ...options }) => (what === 'elements' ? elements(options) : bulk(options)));

function elements({ n, ids, quick }) {
  const plan = {
    rounds: quick ? 5 : 7,
    targetNs: quick ? 8e6 : 30e6,
    budgetNs: quick ? 3e9 : 6e9,
    check: false,
  };
  const values = randomValues(n);
  const rows = [];
  for (const operation of ELEMENTS.filter(({ id }) => ids.includes(id))) {
    const lanes = Object.entries(operation.body).map(([name, body]) => {
      const contender = contenders[/** @type {'Vector'} */ (name)];
      const run = compile(body);
      return operation.walk === 'fill'
        ? filling(name, contender, run, values)
        : walking(name, contender, run, values, operation.walk);
    });
    const least = operation.walk === 'range' ? 512 : 1;
    const results = race(lanes, { ...plan, least });
    lanes.forEach((lane) => lane.close());
    collect();
    rows.push({ id: operation.id, title: operation.title, results, goals: operation.goals?.(n) });
  }
  return rows;
}

/**
 * From empty to full, as often as the budget allows. The instances are dropped and collected
 * outside the timed part. One of them is kept: without any, the engine would discard the code that
 * it compiled for them.
 */
function filling(name, contender, run, values) {
  const companion = contender.full(values.subarray(0, COMPANION));
  /** @type {any[]} */
  let made = [];
  const after = () => {
    made.forEach(contender.release);
    made = [];
    collect();
    haveMemory(3 * values.byteLength);
  };
  const go = (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let i = from; i < to; i++) {
      const instance = contender.empty(values.length);
      made.push(instance);
      run(instance, values);
    }
    return 0;
  };
  const limit = Math.max(1, Math.floor(1e6 / values.length));
  const close = () => {
    after();
    contender.release(companion);
  };
  return { name, limit, units: values.length, warm: go, run: go, after, close };
}

/**
 * Uses and releases this amount of memory. A virtual machine may return unused memory to its host;
 * the first access to a page of 4 KiB then takes 10 µs instead of 0.1 to 1 µs, at the expense of
 * the contender that happens to run next. The engine frees memory in threads of its own, so there
 * is a pause for them.
 */
function haveMemory(/** @type {number} */ bytes) {
  if (bytes < LARGE) return;
  const memory = new Vector('u8', { capacity: bytes });
  const touched = new Uint8Array(memory.view.buffer, PAGE);
  for (let at = 0; at < touched.length; at += PAGE) touched[at] = 1;
  memory.close();
  collect();
  Atomics.wait(PAUSE, 0, 0, 20);
}

/** Over full instances, in a random order or from front to back. */
function walking(name, contender, run, values, walk) {
  const large = values.length > LARGE;
  const sizes = large ? [values.length, COMPANION, COMPANION] : Array(3).fill(values.length);
  const instances = sizes.map((size) => contender.full(values.subarray(0, size)));
  const queries = sizes.map((size) => randomValues(QUERIES).map((x) => x % size));
  const measured = large ? 1 : 3;
  const over = (/** @type {number} */ count, /** @type {number} */ from, /** @type {number} */ to) => {
    for (let i = 0; i < count; i++) {
      if (walk === 'range') run(instances[i], queries[i], undefined, from, to);
      else for (let pass = from; pass < to; pass++) run(instances[i]);
    }
    return 0;
  };
  return {
    name,
    limit: walk === 'range' ? QUERIES : Math.max(1, Math.floor(2e7 / values.length)),
    units: measured * (walk === 'range' ? 1 : values.length),
    warm: (/** @type {number} */ from, /** @type {number} */ to) => over(sizes.length, from, to),
    run: (/** @type {number} */ from, /** @type {number} */ to) => over(measured, from, to),
    close: () => instances.forEach(contender.release),
  };
}

function bulk({ n, type, ids, quick }) {
  const TypedArray = type === 'f64' ? Float64Array : Uint32Array;
  const random = TypedArray.from(randomValues(n));
  const sorted = random.slice().sort();
  const asked = TypedArray.from(randomValues(ASKED + n).subarray(n));
  const absent = ABSENT[/** @type {'f64'} */ (type)];
  const bytes = random.byteLength;
  // Memory of the same kind as the vector's, in pages of the same size.
  const memory = Vector.from('u8', new Uint8Array(bytes));
  const buffer = Buffer.from(memory.view.buffer, memory.view.byteOffset, bytes);
  // Short work is repeated until a clock tick is negligible.
  const repeat = Math.max(1, Math.ceil(1e5 / n));
  const rows = [];
  for (const operation of BULK.filter(({ id }) => ids.includes(id))) {
    const source = operation.sorted === true ? sorted : random;
    const instances = {
      Vector: () => Vector.from(type, source),
      Array: () => Array.from(source),
      TypedArray: () => source.slice(),
    };
    const lanes = Object.entries(operation.body)
      .filter(([name]) => n <= (operation.most?.[name] ?? Infinity))
      .map(([name, body]) => {
        const make = instances[/** @type {'Vector'} */ (name)];
        const all = Array.from({ length: operation.changes === true ? repeat : 1 }, make);
        const text = body.includes('return') ? body : `return ${body};`;
        const run = compile(text, 'm, absent, asked');
        const refill = (/** @type {any} */ m) => {
          if (name === 'Vector') m.view.set(source);
          else if (name === 'TypedArray') m.set(source);
          else for (let i = 0; i < n; i++) m[i] = source[i];
        };
        // This compiles the loops, whatever the size.
        for (let i = 0; n < 1e6 && i < 2000; i += 1 + n / 100) run(all[0], absent, asked);
        return {
          name,
          ready() {
            if (operation.changes !== true) return;
            all.forEach(refill);
            haveMemory(2 * bytes);
          },
          work() {
            for (let i = 0; i < repeat; i++) run(all[i % all.length], absent, asked);
          },
          close: () => name === 'Vector' && all.forEach((/** @type {any} */ vector) => vector.close()),
        };
      });
    const streams = operation.goals?.(1e7, type).some(({ against }) => against === 'memory');
    if (streams === true) {
      const work = () => {
        for (let i = 0; i < repeat; i++) if (buffer.indexOf(1) !== -1) throw new Error('found');
      };
      lanes.push({ name: 'memory', ready: () => false, work, close: () => false });
    }
    const rounds = quick ? 5 : 11;
    const results = turns(lanes, { rounds, budgetNs: quick ? 4e9 : 2e10, units: repeat });
    lanes.forEach((lane) => lane.close());
    collect();
    rows.push({ id: operation.id, title: operation.title, results, goals: operation.goals?.(n, type) });
  }
  memory.close();
  return rows;
}
