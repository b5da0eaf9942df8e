/**
 * `npm run generate`: writes the tables of kinds and of element types, in every language and in
 * docs/formats/region.md, from schema.mjs, and the lists of modules from the folders of src/. A
 *   test
 * fails while one of them is out of date.
 *
 * A generated part of a hand-written file lies between two marker lines; the rest of the file is
 * left alone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Complaint, fail, root } from '../lib/run.mjs';
import * as markdown from './markdown.mjs';
import * as native from './native.mjs';
import * as typescript from './typescript.mjs';

/**
 * The outputs. Without a `part`, `write` makes the whole file, and is given its old contents.
 * @type {{ file: string, part?: string, write: (old: string) => string }[]}
 */
const OUTPUTS = [
  { file: 'src/region/element-types.ts', write: typescript.elementTypes },
  { file: 'src/region/kinds.ts', write: typescript.kinds },
  { file: 'src/cli/kinds.ts', write: typescript.kindModules },
  { file: 'native/core/src/region/element/types.rs', part: 'element types', write: native.rustTypes },
  { file: 'native/core/src/region/kind.rs', part: 'kinds', write: native.rustKinds },
  { file: 'native/capi/src/types.rs', part: 'element types', write: native.cTypes },
  { file: 'native/capi/include/offheap/codec.hpp', part: 'codecs of numbers', write: native.codecs },
  { file: 'native/binding/elements.h', write: native.bindingElements },
  { file: 'src/index.ts', part: 'modules', write: typescript.moduleExports },
  { file: 'src/native/binding.ts', write: typescript.binding },
  { file: 'package.json', write: typescript.entryPoints },
  { file: 'docs/formats/region.md', part: 'element types', write: markdown.elementsPage },
  { file: 'docs/formats/region.md', part: 'kinds', write: markdown.kindsPage },
];

/**
 * Replaces the lines between the markers of a part.
 * @param {string} path @param {string} old @param {string} part @param {string} body
 */
function splice(path, old, part, body) {
  const markdown = path.endsWith('.md');
  const open = markdown ? `<!-- generated: ${part} -->` : `// generated (npm run generate): ${part}`;
  const close = markdown ? `<!-- end of generated: ${part} -->` : `// end of generated: ${part}`;
  const from = old.indexOf(open);
  const to = old.indexOf(close, from);
  if (from < 0 || to < 0) throw new Complaint(`${path} has no markers "${open}" and "${close}".`);
  const indent = old.slice(old.lastIndexOf('\n', to) + 1, to);
  const gap = markdown ? '\n\n' : '\n';
  return old.slice(0, from) + open + gap + body + gap + indent + old.slice(to);
}

/**
 * Formats as `npm run format` does. The Rust parts are generated in rustfmt's form.
 * @param {string} path @param {string} content
 */
async function formatted(path, content) {
  if (/\.(h|hpp)$/.test(path)) {
    const { format } = await import('@wasm-fmt/clang-format');
    return format(content, path, readFileSync(join(root, '.clang-format'), 'utf8'));
  }
  if (path.endsWith('.rs')) return content;
  const { format, resolveConfig } = await import('prettier');
  return format(content, { ...(await resolveConfig(join(root, path))), filepath: path });
}

/**
 * Writes every file that is out of date, or only names it.
 * @param {{ write: boolean }} options
 * @returns {Promise<string[]>} the files that were, or are, out of date
 */
export async function generate({ write }) {
  /** @type {string[]} */
  const stale = [];
  for (const file of new Set(OUTPUTS.map((output) => output.file))) {
    const path = join(root, file);
    const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
    let content = old;
    for (const output of OUTPUTS.filter((candidate) => candidate.file === file)) {
      const written = output.write(content);
      content = output.part === undefined ? written : splice(file, content, output.part, written);
    }
    content = await formatted(file, content);
    if (content === old) continue;
    stale.push(file);
    if (write) writeFileSync(path, content);
  }
  return stale;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = await generate({ write: true }).catch(fail);
  console.log(files.length === 0 ? 'All generated files are current.' : `Wrote ${files.join(', ')}.`);
}
