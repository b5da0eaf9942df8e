/**
 * Which source file imports which, in TypeScript and C++, for test/scripts/layers.test.ts. A
 * graph maps each file to the files that it names; files outside the graph are left out.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { root } from './run.mjs';
import { filesUnder } from './stale.mjs';

/** @typedef {Map<string, Set<string>>} Graph */

/**
 * @param {string[]} files
 * @param {(file: string, text: string) => Iterable<string>} importsOf
 * @returns {Graph}
 */
function graph(files, importsOf) {
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const found = [...importsOf(file, readFileSync(join(root, file), 'utf8'))];
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
