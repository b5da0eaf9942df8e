/**
 * Which source file imports which, in TypeScript, Rust and C++, for test/scripts/layers.test.ts. A
 * graph maps each file to the files that it names; files outside the graph are left out.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { root } from './run.mjs';
import { filesUnder } from './stale.mjs';

/** @typedef {Map<string, Set<string>>} Graph */

/**
 * @param {string[]} files
 * @param {(file: string, text: string, known: Set<string>) => Iterable<string>} importsOf
 * @returns {Graph}
 */
function graph(files, importsOf) {
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const found = [...importsOf(file, readFileSync(join(root, file), 'utf8'), known)];
      return [file, new Set(found.filter((target) => known.has(target) && target !== file))];
    }),
  );
}

/** Static imports and exports, types included. @param {string} folder */
export function typescript(folder) {
  const files = filesUnder([folder]).filter((file) => file.endsWith('.ts'));
  return graph(files, (file, text) =>
    [...text.matchAll(/^(?:import|export)\b[^;]*?from '(\.[^']+)';/gm)].map(([, path]) =>
      posix.join(dirname(file), path.replace(/\.js$/, '.ts')),
    ),
  );
}

/** `#include "…"` of files in the same folder tree. @param {string} folder */
export function cpp(folder) {
  const files = filesUnder([folder]).filter((file) => /\.(h|hpp|cc)$/.test(file));
  return graph(files, (file, text) =>
    [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, path]) => posix.join(dirname(file), path)),
  );
}

/** Expands `a::{b, c::{d, e}}` into paths. @param {string} tree @returns {string[]} */
export function usePaths(tree) {
  const open = tree.indexOf('{');
  if (open < 0) return [tree.replace(/\s+as\s+\w+$/, '').trim()];
  const prefix = tree.slice(0, open).trim();
  const parts = [];
  let depth = 0;
  let part = '';
  for (const letter of tree.slice(open + 1, tree.lastIndexOf('}'))) {
    if (letter === ',' && depth === 0) {
      parts.push(part);
      part = '';
      continue;
    }
    depth += letter === '{' ? 1 : letter === '}' ? -1 : 0;
    part += letter;
  }
  return [...parts, part]
    .filter((text) => text.trim() !== '')
    .flatMap((text) => usePaths(text.trim()))
    .map((path) => (path === 'self' ? prefix.replace(/::$/, '') : prefix + path));
}

/**
 * `use crate::…` and `use super::…`. A module and the modules inside it are one unit that may refer
 * to each other (a `mod.rs` re-exports its children, and they use its types), so edges between a
 * module and its own descendants are left out; so is test code.
 *
 * @param {string} folder the crate's `src`
 */
export function rust(folder) {
  const files = filesUnder([folder]).filter(
    (file) => file.endsWith('.rs') && !/(^|\/|_)tests?(\/|\.rs$)/.test(file.slice(folder.length)),
  );
  const moduleOf = (/** @type {string} */ file) =>
    file
      .slice(folder.length + 1)
      .replace(/\.rs$/, '')
      .replace(/(^|\/)mod$/, '')
      .split('/')
      .filter((name) => name !== '' && name !== 'lib');
  const fileOf = new Map(files.map((file) => [moduleOf(file).join('::'), file]));
  return graph(files, (file, text) => {
    const here = moduleOf(file);
    const code = text.split(/^#\[cfg\((?:all\()?test\b/m)[0];
    const uses = [...code.matchAll(/^\s*(?:pub(?:\([^)]*\))? )?use ((?:crate|super|self)::[^;]+);/gm)];
    const inline = [...code.matchAll(/(?<![\w:])((?:crate|super)(?:::\w+)+)/g)];
    /** @type {Set<string>} */
    const found = new Set();
    for (const path of [...uses.flatMap(([, tree]) => usePaths(tree)), ...inline.map(([, path]) => path)]) {
      let [first, ...rest] = path.split('::').map((name) => name.trim());
      let base = first === 'crate' ? [] : first === 'super' ? here.slice(0, -1) : here;
      while (rest[0] === 'super') {
        base = base.slice(0, -1);
        rest = rest.slice(1);
      }
      let target = [...base, ...rest];
      while (target.length > 0 && !fileOf.has(target.join('::'))) target = target.slice(0, -1);
      const inside = (/** @type {string[]} */ a, /** @type {string[]} */ b) =>
        b.every((name, i) => a[i] === name);
      const name = fileOf.get(target.join('::'));
      if (name !== undefined && !inside(target, here) && !inside(here, target)) found.add(name);
    }
    return found;
  });
}

/**
 * The cycles of a graph: each strongly connected component with more than one file (Tarjan 1972).
 * @param {Graph} edges @returns {string[][]}
 */
export function cycles(edges) {
  /** @type {Map<string, { index: number, low: number, open: boolean }>} */
  const seen = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const found = [];
  const visit = (/** @type {string} */ file) => {
    const state = { index: seen.size, low: seen.size, open: true };
    seen.set(file, state);
    stack.push(file);
    for (const target of edges.get(file) ?? []) {
      const other = seen.get(target) ?? visit(target);
      if (other.open) state.low = Math.min(state.low, other.low);
    }
    if (state.low === state.index) {
      const component = stack.splice(stack.indexOf(file));
      for (const member of component) /** @type {any} */ (seen.get(member)).open = false;
      if (component.length > 1) found.push(component.sort());
    }
    return state;
  };
  for (const file of edges.keys()) if (!seen.has(file)) visit(file);
  return found;
}

/**
 * The top-level module of a file: `region` for `src/region/file.ts`.
 * @param {string} file @param {string} folder
 */
export function moduleOf(file, folder) {
  return file
    .slice(folder.length + 1)
    .split('/')[0]
    .replace(/\.\w+$/, '');
}

/**
 * Edges between modules, as `from -> to`, with the files that make them.
 * @param {Graph} edges @param {string} folder
 */
export function moduleEdges(edges, folder) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const [file, targets] of edges) {
    for (const target of targets) {
      const [from, to] = [moduleOf(file, folder), moduleOf(target, folder)];
      if (from === to) continue;
      const key = `${from} -> ${to}`;
      found.set(key, [...(found.get(key) ?? []), `${file} imports ${target}`]);
    }
  }
  return found;
}
