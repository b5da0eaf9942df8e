/**
 * The operations: blocks are allocated and freed. The body of a loop is given `m`, a pool; `a`,
 * random numbers; and the range `from` to `to`. Every block is written to, as in real programs.
 */

/** @typedef {import('../lib/report.mjs').Goal} Goal */

export const CONTENDERS = [
  'FixedPool',
  'NumaPool',
  'ThreadLocalPool',
  'LockFreePool',
  'two swaps',
  '@thi.ng/malloc',
  'allocUnsafe',
];
/** How many blocks live while one is replaced after the other. */
export const LIVE = 1000;

/**
 * Not a pool: the cost of two `Atomics.compareExchange`, the minimum for an alloc and a free in a
 * LockFreePool.
 */
export class TwoSwaps {
  u8 = new Uint8Array(new SharedArrayBuffer(64));
  #word = new Int32Array(new SharedArrayBuffer(64));
  alloc() {
    this.#swap();
    return 0;
  }
  free() {
    this.#swap();
  }
  close() {}
  #swap() {
    const word = this.#word[0];
    Atomics.compareExchange(this.#word, 0, word, word + 1);
  }
}

/** @param {string} size */
const pooled = (size) => ({
  pair: `
    const { u8 } = m;
    for (let i = from; i < to; i++) {
      const at = m.alloc(${size});
      u8[at] = i;
      m.free(at);
    }
    return 0;`,
  churn: `
    const { u8 } = m, { live } = b;
    for (let i = from; i < to; i++) {
      const n = a[i];
      m.free(live[n]);
      const at = m.alloc(${size});
      u8[at] = i;
      live[n] = at;
    }
    return 0;`,
});

/** `Buffer.allocUnsafe` frees nothing: the collector does. @param {string} size */
const collected = (size) => ({
  pair: `
    const { kept } = b;
    for (let i = from; i < to; i++) {
      const block = m.allocUnsafe(${size});
      block[0] = i;
      kept[0] = block;
    }
    return 0;`,
  churn: `
    const { live } = b;
    for (let i = from; i < to; i++) {
      const block = m.allocUnsafe(${size});
      block[0] = i;
      live[a[i]] = block;
    }
    return 0;`,
});

/**
 * The loop for a contender.
 * @param {string} name
 * @param {'pair' | 'churn'} what
 * @param {number} size
 */
export const body = (name, what, size) => (name === 'allocUnsafe' ? collected : pooled)(String(size))[what];

/** @type {{ size: number, what: 'pair' | 'churn', title: string, goals: Goal[] }[]} */
export const OPERATIONS = [
  {
    size: 64,
    what: 'pair',
    title: '64 B: alloc, write, free',
    goals: [{ against: 'allocUnsafe', times: 2.2 }],
  },
  { size: 64, what: 'churn', title: '64 B: one of 1,000 replaced', goals: [] },
  {
    size: 16_384,
    what: 'pair',
    title: '16 KiB: alloc, write, free',
    goals: [{ against: 'allocUnsafe', times: 40 }],
  },
  { size: 16_384, what: 'churn', title: '16 KiB: one of 1,000 replaced', goals: [] },
];
