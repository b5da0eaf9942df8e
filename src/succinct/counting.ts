/**
 * Counting ones in several words at once, and finding the k-th. JavaScript has no instruction that
 * counts the ones of a word, and WebAssembly has one: these are functions of a few hundred bytes of
 * it, which optimised JavaScript calls as its own, at about 2 ns. They get words as arguments, and
 * have no memory. Where WebAssembly is switched off they are written in JavaScript.
 *
 * Tried, in ns for the ones in 0 to 255 bits (Node 20, 22 and 24 alike, of which 0.8 are the loop):
 * a loop over the words 18, which is mostly branches foretold wrongly; in JavaScript without a
 * branch, by carry-save adders, 13; this 8.
 */
import { popcount32 } from './word.js';

/** Seven words. */
type Words7 = [number, number, number, number, number, number, number];

export interface Counting {
  /**
   * The ones in the first `count` of seven words, or where `flip` is −1 instead of 0 in those after
   * them; and in the word `last`.
   */
  sevenAnd: (count: number, flip: number, ...words: [...Words7, last: number]) => number;
  /** The ones in eight words. */
  eight: (...words: [...Words7, number]) => number;
  /**
   * In which of eight words the k-th one is, times 32, and how many ones of that word come before
   * it. They have more than `k`. (The eighth word needs no looking at.)
   */
  find: (k: number, ...words: Words7) => number;
}

/** In JavaScript. */
export const plain: Counting = {
  sevenAnd(count, flip, ...words) {
    let ones = popcount32(words[7]);
    for (let i = 0; i < 7; i++) ones += popcount32(words[i]) & (((i - count) >> 31) ^ flip);
    return ones;
  },
  eight: (...words) => words.reduce((ones, word) => ones + popcount32(word), 0),
  find(k, ...words) {
    for (let at = 0; at < 7; at++) {
      const ones = popcount32(words[at]);
      if (k < ones) return at * 32 + k;
      k -= ones;
    }
    return 7 * 32 + k;
  },
};

// ---- WebAssembly

/** What is used of it: the types of Node.js leave it to those of browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

// Instructions, all on 32-bit integers
// (https://webassembly.github.io/spec/core/binary/instructions.html).
const END = 0x0b;
const SELECT = 0x1b;
const POPCOUNT = 0x69;
const ADD = 0x6a;
const SUB = 0x6b;
const AND = 0x71;
const OR = 0x72;
const XOR = 0x73;
const SHL = 0x74;
/** To the right, with the sign. */
const SHR = 0x75;
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
/** Sets, and leaves the value. */
const tee = (local: number): number[] => [0x22, local];
/** From −64 to 63. */
const constant = (value: number): number[] => [0x41, value & 127];

type Code = (number | Code)[];

/** A function of so many parameters, which are its first locals, with so many more of these. */
interface Function32 {
  parameters: number;
  locals: number;
  code: Code;
}

const KINDS: Record<keyof Counting, () => Function32> = {
  sevenAnd() {
    const [count, flip, first, last] = [0, 1, 2, 9];
    const code: Code = [get(last), POPCOUNT];
    for (let i = 0; i < 7; i++) {
      // All ones where i < count.
      const mask = [constant(i), get(count), SUB, constant(31), SHR, get(flip), XOR];
      code.push(get(first + i), POPCOUNT, mask, AND, ADD);
    }
    return { parameters: 10, locals: 0, code };
  },

  eight() {
    const code: Code = [get(0), POPCOUNT];
    for (let i = 1; i < 8; i++) code.push(get(i), POPCOUNT, ADD);
    return { parameters: 8, locals: 0, code };
  },

  /** Halves, without a branch: four words of the eight, two, one. */
  find() {
    const [k, word] = [0, 1];
    const [ones, past4, past2, past1, sum, left] = [8, 15, 16, 17, 18, 19];
    const code: Code = [];
    for (let i = 0; i < 7; i++) code.push(get(word + i), POPCOUNT, set(ones + i));
    const one = (i: number): number[] => get(ones + i);
    /** Whether `sum` ones do not reach to k, all ones if so; k is then as many less. */
    const pass = (past: number): Code => [
      [get(sum), constant(1), SUB, get(k), SUB, constant(31), SHR, set(past)],
      [get(k), get(sum), get(past), AND, SUB, set(k)],
    ];
    const choose = (yes: Code, no: Code, condition: number): Code => [yes, no, get(condition), SELECT];
    code.push(one(0), one(1), ADD, tee(left), one(2), ADD, one(3), ADD, set(sum), pass(past4));
    code.push(choose([one(4), one(5), ADD], get(left), past4), set(sum), pass(past2));
    code.push(choose(choose(one(6), one(2), past4), choose(one(4), one(0), past4), past2));
    code.push(set(sum), pass(past1));
    const index = [past4, past2, past1].map((past, i) => [get(past), constant(4 >> i), AND]);
    code.push(index[0], index[1], OR, index[2], OR, constant(5), SHL, get(k), ADD);
    return { parameters: 8, locals: 12, code };
  },
};

function flatten(code: Code): number[] {
  return code.flatMap((part) => (typeof part === 'number' ? part : flatten(part)));
}

/** A number below 2^14, in seven bits each. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}

/**
 * The module: types, functions, exports, code
 * (https://webassembly.github.io/spec/core/binary/modules.html).
 */
function assemble(): Uint8Array {
  const I32 = 0x7f;
  const list = Object.entries(KINDS).map(([name, kind]) => ({ name, ...kind() }));
  const section = (id: number, parts: number[][]): number[] => {
    const content = [parts.length, ...parts.flat()];
    return [id, ...leb(content.length), ...content];
  };
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      list.map(({ parameters }) => [0x60, parameters, ...new Array<number>(parameters).fill(I32), 1, I32]),
    ),
    ...section(
      3,
      list.map((_, i) => [i]),
    ),
    ...section(
      7,
      list.map(({ name }, i) => [name.length, ...Array.from(name, (c) => c.charCodeAt(0)), 0, i]),
    ),
    ...section(
      10,
      list.map(({ locals, code }) => {
        const body = [...(locals === 0 ? [0] : [1, locals, I32]), ...flatten(code), END];
        return [...leb(body.length), ...body];
      }),
    ),
  ]);
}

/** `undefined` where WebAssembly is switched off (`--jitless`), or refused. */
export function compile(): Counting | undefined {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports as Counting;
  } catch {
    return undefined;
  }
}

// The exports of a module are no object that V8 reads fast.
export const { sevenAnd, eight, find } = compile() ?? plain;
