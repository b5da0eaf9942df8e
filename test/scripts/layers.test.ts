/**
 * The layers of TypeScript, the C++ headers and the binding: no import cycles, no imports from a
 * lower layer of a higher one, and none between modules of one layer, except those listed here with
 * their reason. The core and the C ABI have tests of their own: native/core/tests/layers.rs and
 * native/capi/tests/sources.rs.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';

type Graph = Map<string, Set<string>>;
interface Imports {
  typescript: (folder: string) => Graph;
  cpp: (folder: string) => Graph;
  cycles: (graph: Graph) => string[][];
  moduleOf: (file: string, folder: string) => string;
  moduleEdges: (graph: Graph, folder: string) => Map<string, string[]>;
}
const path = join(packageRoot(), 'scripts', 'lib', 'imports.mjs');
const imports = (await import(pathToFileURL(path).href)) as Imports;
const { cycles, moduleEdges, moduleOf } = imports;

interface Layers {
  folder: string;
  graph: Graph;
  /** Modules by layer, lowest first. Modules in none of them form one layer above these. */
  lower: string[][];
  /** Modules above all others, which may import any of them. */
  top: string[];
  /** Imports between modules of one layer that are part of the design. */
  allowed: Record<string, string[]>;
}

const LAYERS: Record<string, Layers> = {
  TypeScript: {
    folder: 'src',
    graph: imports.typescript('src'),
    lower: [['errors', 'version'], ['native'], ['region'], ['elements']],
    top: ['index', 'cli', 'doctor'],
    allowed: { cli: ['doctor'], index: ['doctor'] },
  },
  'the C++ headers': {
    folder: 'native/capi/include/offheap',
    graph: imports.cpp('native/capi/include/offheap'),
    lower: [['error'], ['codec', 'memory'], ['pool']],
    top: ['compress', 'pools'],
    allowed: {
      // A RankSelect is built from a BitVector, and a RecordStore with a Dictionary.
      rankselect: ['bitvector'],
      recordstore: ['dictionary'],
      // A LockFreePool returns handles with a cache.
      lockfreepool: ['threadlocalpool'],
      // SharedMap is in several headers, from its types to the class.
      sharedmap_scan: ['sharedmap_types', 'sharedmap_memory'],
      sharedmap_transaction: ['sharedmap_types', 'sharedmap_memory'],
      sharedmap_reader: ['sharedmap_types', 'sharedmap_memory', 'sharedmap_scan'],
      sharedmap: [
        'sharedmap_types',
        'sharedmap_memory',
        'sharedmap_scan',
        'sharedmap_transaction',
        'sharedmap_reader',
      ],
    },
  },
  'the binding': {
    folder: 'native/binding',
    graph: imports.cpp('native/binding'),
    lower: [['status', 'engine', 'module', 'elements'], ['args'], ['background', 'columns', 'handle']],
    top: [],
    allowed: {
      engine: ['status'],
      module: ['status'],
      // Both read the handle of a dictionary.
      compressor: ['dictionary'],
      recordstore: ['dictionary'],
      // Both create a map with the same options.
      sharedmap_file: ['sharedmap'],
    },
  },
};

describe.each(Object.entries(LAYERS))('%s', (_, { folder, graph, lower, top, allowed }) => {
  const layerOf = (module: string): number => {
    const below = lower.findIndex((modules) => modules.includes(module));
    return below >= 0 ? below : lower.length + (top.includes(module) ? 1 : 0);
  };

  it('has sources to look at, and a name in each list for a file or folder', () => {
    expect(graph.size).toBeGreaterThan(10);
    const modules = new Set([...graph.keys()].map((file) => moduleOf(file, folder)));
    expect([...lower.flat(), ...top].filter((name) => !modules.has(name))).toEqual([]);
    expect(existsSync(join(packageRoot(), folder))).toBe(true);
  });

  it('has no import cycles', () => {
    expect(cycles(graph)).toEqual([]);
  });

  it('imports only from lower layers', () => {
    const wrong = [...moduleEdges(graph, folder)].filter(([edge]) => {
      const [from, to] = edge.split(' -> ') as [string, string];
      return layerOf(to) >= layerOf(from) && !allowed[from]?.includes(to);
    });
    expect(wrong.flatMap(([, files]) => files)).toEqual([]);
  });
});

describe('TypeScript modules', () => {
  it('import only the index of another module', () => {
    const { folder, graph, lower, top } = LAYERS.TypeScript;
    const isModule = (file: string): boolean =>
      ![...lower.flat(), ...top].includes(moduleOf(file, folder)) && file.split('/').length > 2;
    const wrong = [...graph].flatMap(([file, targets]) =>
      [...targets]
        .filter((target) => isModule(file) && isModule(target))
        .filter((target) => moduleOf(file, folder) !== moduleOf(target, folder))
        .filter((target) => !/^src\/[^/]+\/index\.ts$/.test(target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the readers of imports', () => {
  it('find a cycle of three, and nothing in a diamond', () => {
    const graph = (edges: Record<string, string[]>): Graph =>
      new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)]));
    expect(cycles(graph({ a: ['b'], b: ['c'], c: ['a'], d: ['a'] }))).toEqual([['a', 'b', 'c']]);
    expect(cycles(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toEqual([]);
  });

  it('see imports of each language in this repository', () => {
    expect(LAYERS.TypeScript.graph.get('src/region/format.ts')).toContain('src/errors.ts');
    expect(LAYERS['the binding'].graph.get('native/binding/args.cc')).toContain('native/binding/args.h');
  });
});
