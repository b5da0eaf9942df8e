/**
 * Operations over all bits of a BitVector, compared with the speed of memory: the C library's
 * memchr over memory of the same kind reads as many bytes as the operation moves to and from
 * memory. Set algebra reads two vectors and writes one, which is three times the bytes of one
 * vector. (V8 has no fast way to write shared memory that writes could be compared with.)
 */
import { Vector } from '../../dist/vector/index.js';
import { serve } from '../lib/child.mjs';
import { turns } from '../lib/measure.mjs';
import { count } from '../lib/table.mjs';
import { bitVector, randomWords } from './bits.mjs';
import { generator } from './measures.mjs';

serve(({ n, quick }) => {
  const random = generator();
  const [bits, other] = [0, 1].map(() => {
    // The values of the bits do not affect the time: the same ones are used every time.
    const some = randomWords(random, 2 ** 20, 50);
    const words = new Uint32Array(n / 32);
    for (let at = 0; at < words.length; at += some.length) words.set(some.subarray(0, words.length - at), at);
    return bitVector(words, n);
  });
  const memory = Vector.from('u8', new Uint8Array(n / 8));
  const buffer = Buffer.from(memory.view.buffer, memory.view.byteOffset, memory.view.byteLength);
  const rows = [
    { title: 'count', work: () => bits.count(), passes: 1, within: 1.2 },
    ...['and', 'or', 'xor', 'andNot'].map((op) => ({
      title: op,
      work: () => bits[op](other),
      passes: 3,
      within: 1.2,
    })),
    { title: 'not', work: () => bits.not(), passes: 2 },
    { title: 'fill', work: () => bits.fill(0, n, 1), passes: 1 },
  ].map(({ title, work, passes, within }) => {
    const reading = () => {
      for (let pass = 0; pass < passes; pass++) if (buffer.indexOf(1) !== -1) throw new Error('found');
    };
    const { ours, memory } = turns(
      [
        { name: 'ours', work },
        { name: 'memory', work: reading },
      ],
      { rounds: quick ? 11 : 31, budgetNs: 4e9, units: 1e6 },
    );
    return {
      title,
      unit: 'ms',
      ours: ours.ns,
      peer: `reading ${count((passes * n) / 8)} bytes`,
      theirs: memory.ns,
      within,
      raw: { ours: ours.rounds, peer: memory.rounds },
    };
  });
  for (const one of [bits, other, memory]) one.close();
  return [{ title: `BitVector, ${count(n)} bits, all of them`, rows }];
});
