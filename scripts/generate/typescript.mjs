/**
 * The tables of the TypeScript sources, and the lists of modules: folders of src/ with an index.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/run.mjs';
import { ELEMENTS, KINDS, NOTICE, NUMBERS } from './schema.mjs';

/** @param {readonly string[]} lines */
const text = (lines) => lines.join('\n');
/** @param {readonly { name: string }[]} elements */
const union = (elements) => elements.map(({ name }) => `'${name}'`).join(' | ');
const OWN = ELEMENTS.filter((element) => element.class !== 'shared');
const SHARED = ELEMENTS.filter((element) => element.class === 'shared');

export function elementTypes() {
  const column = ELEMENTS.filter((element) => element.c !== undefined);
  return `/**
 * The types of elements: their names, codes, widths and arrays.
 * ${NOTICE}
 */

/** Types of plain numbers: \`number\`, and \`bigint\` for the last two. */
export type NumericType = ${union(NUMBERS)};

/**
 * Types of elements: the numeric ones, \`bool\` (1 byte), \`string\` and \`bytes\`, \`json\`
 * (any value that \`JSON.stringify\` accepts, stored as text, a fresh copy at each read) and
 * \`any\` (any value, kept on the JavaScript heap).
 */
export type ElementType = NumericType | ${union(OWN.filter((element) => element.class !== 'number'))};

/** Types that only values of a SharedMap have. */
export type SharedType = ${union(SHARED)};

/** A value that \`JSON.stringify\` accepts. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the type that JSON.parse returns
export type Json = any;

interface JavaScriptTypes {
${text(OWN.map(({ name, js }) => `${name}: ${js};`))}
}

/** The JavaScript type of an element of type \`T\`: \`JsType<'f64'>\` is \`number\`. */
export type JsType<T extends ElementType> = JavaScriptTypes[T];

interface ColumnTypes {
${text(column.map(({ name, array }) => `${name}: ${array};`))}
}

/** The typed array of a column of type \`T\`; \`never\` for types that are not plain data. */
export type Column<T extends ElementType> = T extends keyof ColumnTypes ? ColumnTypes[T] : never;

export interface TypedArrayConstructor<A extends ArrayBufferView = AnyTypedArray> {
  new (buffer: ArrayBufferLike, offset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}
export type AnyTypedArray = ColumnTypes[keyof ColumnTypes];

/** Codes of the types in a region's header. */
export const TYPE = {
${text(OWN.map(({ name, code }) => `${name}: ${code},`))}
} as const satisfies Record<ElementType, number>;

/** Codes of the types that only values of a SharedMap have. */
export const SHARED_TYPE = {
${text(SHARED.map(({ name, code }) => `${name}: ${code},`))}
} as const satisfies Record<SharedType, number>;

/** Names by code; no type has the code 0. */
export const TYPE_NAMES = [undefined, ...(Object.keys(TYPE) as ElementType[])] as const;

/** Bytes of a column's element by code. Blobs have a 4-byte reference; \`any\` has no column. */
export const WIDTHS: readonly number[] = [0, ${OWN.map(({ width }) => width).join(', ')}];

/** The typed array of a column by code; blob references are unsigned words. */
export const COLUMN_ARRAYS: readonly (TypedArrayConstructor | undefined)[] = [
  undefined,
${text(OWN.map(({ array }) => `${array},`))}
] as const;

/** The values that a type accepts, for error messages. */
export const EXPECTED: Record<ElementType, string> = {
${text(OWN.map(({ name, expected }) => `${name}: '${expected}',`))}
};
`;
}

export function kinds() {
  return `/**
 * The kinds of region: codes in headers, and versions of their formats.
 * ${NOTICE}
 */

/**
 * The structure that a region contains, the oldest version of its format that this release reads,
 * and the one that it writes.
 */
export const KINDS = {
${text(KINDS.map(({ name, code, oldest, version }) => `${name}: { code: ${code}, oldest: ${oldest}, version: ${version} },`))}
} as const;
export type Kind = keyof typeof KINDS;
`;
}

export function kindModules() {
  return `/**
 * The module of each kind of region, whose \`contents.ts\` describes a header.
 * ${NOTICE}
 */
import type { Kind } from '../region/format.js';

export const MODULES: Record<Kind, string> = {
${text(KINDS.map(({ name, module }) => `${name}: '${module}',`))}
};
`;
}

const modules = () =>
  readdirSync(join(root, 'src')).filter((name) => existsSync(join(root, 'src', name, 'index.ts')));

/** The exports of package.json: one entry point for each module. @param {string} manifest */
export function entryPoints(manifest) {
  const entry = (/** @type {string} */ path) => ({
    types: `./dist${path}/index.d.ts`,
    default: `./dist${path}/index.js`,
  });
  const parsed = JSON.parse(manifest);
  parsed.exports = {
    '.': entry(''),
    ...Object.fromEntries(modules().map((name) => [`./${name}`, entry(`/${name}`)])),
    './package.json': './package.json',
  };
  return JSON.stringify(parsed, undefined, 2);
}

export const moduleExports = () => text(modules().map((name) => `export * from './${name}/index.js';`));

/** The declaration of the addon: the interfaces of the files in src/native/. */
export function binding() {
  const files = readdirSync(join(root, 'src', 'native')).filter((file) => file !== 'binding.ts');
  const names = files.map((file) => file.replace(/\.ts$/, ''));
  const variable = (/** @type {string} */ name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  return `/**
 * All functions of the addon.
 * ${NOTICE.replace('scripts/generate/schema.mjs', 'the files of this folder')}
 */
${text(names.map((name) => `import type * as ${variable(name)} from './${name}.js';`))}

export interface NativeBinding
  extends ${names.map((name) => `${variable(name)}.Binding`).join(', ')} {}
`;
}
