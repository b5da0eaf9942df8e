/**
 * Sorting suffixes by induction, in linear time for any text: SA-IS (Nong, Zhang and Chan, "Linear suffix array construction by
 * almost pure induced-sorting", 2009).
 *
 * A suffix is of type S if it is less than the one behind it, else of type L; the last is L, because what is behind it, nothing, is less.
 * Where an S follows an L there is a leftmost S (LMS). The order of the LMS suffixes induces that of all others; it is found by sorting
 * the pieces between them in the same manner, and, where equal pieces remain, by sorting the text of their names.
 */
type Symbols = Uint8Array | Int32Array;

/** The positions of the suffixes of `text` in order; its symbols are less than `alphabet`. */
export function sortSuffixes(text: Symbols, alphabet: number): Int32Array {
  const n = text.length;
  const sorted = new Int32Array(n);
  if (n < 2) return sorted;
  const isS = new Uint8Array(n);
  let count = 0;
  for (let i = n - 2; i >= 0; i--) {
    isS[i] = text[i] < text[i + 1] || (text[i] === text[i + 1] && isS[i + 1] === 1) ? 1 : 0;
    if (isS[i] === 0 && isS[i + 1] === 1) count++;
  }
  /** LMS positions as they stand in the text. */
  const lms = new Int32Array(count);
  for (let i = 1, k = 0; i < n; i++) if (isS[i] === 1 && isS[i - 1] === 0) lms[k++] = i;
  const ends = new Int32Array(alphabet);
  for (let i = 0; i < n; i++) ends[text[i]]++;
  for (let c = 1; c < alphabet; c++) ends[c] += ends[c - 1];

  induce(text, isS, ends, lms, sorted);
  if (count > 1) {
    const order = orderOf(text, lms, sorted);
    induce(text, isS, ends, order, sorted);
  }
  return sorted;
}

/** Puts the LMS suffixes, in the order that they are given, at the ends of their buckets, then the L suffixes before, then the S suffixes. */
function induce(text: Symbols, isS: Uint8Array, ends: Int32Array, lms: Int32Array, sorted: Int32Array): void {
  const n = text.length;
  sorted.fill(-1);
  const at = ends.slice();
  for (let k = lms.length - 1; k >= 0; k--) sorted[--at[text[lms[k]]]] = lms[k];
  at[0] = 0;
  at.set(ends.subarray(0, ends.length - 1), 1);
  sorted[at[text[n - 1]]++] = n - 1;
  for (let i = 0; i < n; i++) {
    const j = sorted[i] - 1;
    if (j >= 0 && isS[j] === 0) sorted[at[text[j]]++] = j;
  }
  at.set(ends);
  for (let i = n - 1; i >= 0; i--) {
    const j = sorted[i] - 1;
    if (j >= 0 && isS[j] === 1) sorted[--at[text[j]]] = j;
  }
}

/** The LMS suffixes in order, out of a sorting by their pieces. */
function orderOf(text: Symbols, lms: Int32Array, sorted: Int32Array): Int32Array {
  const count = lms.length;
  const n = text.length;
  /** Which LMS position this is. */
  const number = new Int32Array(n).fill(-1);
  for (let k = 0; k < count; k++) number[lms[k]] = k;
  const names = new Int32Array(count);
  let name = -1;
  let before = -1;
  for (let i = 0; i < n; i++) {
    const k = number[sorted[i]];
    if (k < 0) continue;
    if (before < 0 || !samePiece(text, lms, before, k)) name++;
    names[k] = name;
    before = k;
  }
  const order = new Int32Array(count);
  if (name + 1 === count) {
    for (let k = 0; k < count; k++) order[names[k]] = lms[k];
    return order;
  }
  const ranks = sortSuffixes(names, name + 1);
  for (let i = 0; i < count; i++) order[i] = lms[ranks[i]];
  return order;
}

/** Whether two pieces, each up to the next LMS position, are the same. The last ends behind the text, as no other does. */
function samePiece(text: Symbols, lms: Int32Array, a: number, b: number): boolean {
  const last = lms.length - 1;
  if (a === last || b === last) return false;
  const length = lms[a + 1] - lms[a];
  if (lms[b + 1] - lms[b] !== length) return false;
  for (let i = 0; i <= length; i++) if (text[lms[a] + i] !== text[lms[b] + i]) return false;
  return true;
}
