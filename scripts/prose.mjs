/**
 * The prose lint: reports phrases that docs/style.md rules out, British spellings, and prose that is
 * wider than 100 columns. It reads Markdown, and the comments and strings of source files.
 *
 *   node scripts/prose.mjs                every tracked file
 *   node scripts/prose.mjs src/hashmap    these files and folders
 *   node scripts/prose.mjs --count        the number of findings per folder
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { root } from './lib/run.mjs';

const WIDTH = 100;
const CHECKED = /\.(md|ts|mjs|js|rs|c|cc|h|hpp|toml|sh|cmake|in)$|(^|\/)(CMakeLists\.txt|run)$/;
/** The style guide, this file and its test quote phrases that are ruled out. */
const SKIPPED =
  /^(docs\/style\.md|scripts\/prose\.mjs|test\/scripts\/prose\.test\.ts|LICENSE-)|package-lock|\.lock$/;
/** A table row, a link definition, a line that is one link, an HTML tag, or a heading. */
const UNWRAPPED = /^\s*(\||\[[^\]]+\]:|#|<)|https?:\/\/\S+/;

/** Each rule: a pattern, and what to write instead. @type {[RegExp, string][]} */
export const RULES = [
  [/\bcan not\b/i, 'cannot'],
  [/\bvouch(es|ed|ing)?\b/i, 'guarantees, must ensure'],
  [/\bcaller's word\b/i, 'guaranteed by the caller: name the precondition'],
  [/\banew\b/i, 'again'],
  [/\bwhoever\b/i, 'any thread that, callers that'],
  [/\bso many\b/i, 'that many, or name the number'],
  [/\b(slow|fast|plain|other|long|short) roads?\b|\broads that\b|\bthe road\b/i, 'path'],
  [/[a-z]Elsewhere\b/, 'getSlow, hasSlow, …'],
  [/\bbehind\b/i, 'after, past, following; or name the thing that does the work'],
  [
    /\b(stands|stood) (in|beside|for|at|on|there|side|once|first|as|by|under|above|below|next)\b/i,
    'is stored, is kept, is at',
  ],
  [/\b(stand|standing) (in|beside|side|there|next|above|below|under)\b/i, 'are stored, are kept, are at'],
  [
    /\bwhat (it|they|he|you|we|is|are|was|were|has|have|had|can|could|stands?|lies|comes|came|goes|holds|follows|happens)\b/i,
    'a noun: the entries, the values returned, anything that',
  ],
  [/(?<!\bthere )\b(is|are) no (such |valid |known )?[a-z_]+ (at|of|in)\b/i, 'is not a …'],
  [/(\$\{[^}]*\}|\{[^}]*\}|\d) is no [a-z]/, 'invalid …: 42'],
  [/\bcom(es?|ing) home\b|\bcame home\b/i, 'returns to the owner'],
  [/\bnobody (dies|minds|watches|else)\b/i, 'no other thread, nothing'],
  [
    /\bthere is no telling\b|\b(can|could|may) be told\b|\bis told\b|\btold apart\b/i,
    'is reported, is distinguished, is known',
  ],
  [/\b(who|which) (has|is|wants|finds|reads|writes) (it|them|nothing)\b/i, 'a thread that'],
  [/\b(hence|whilst|amongst|hitherto|therein|thereof|wherein)\b/i, 'a plain word'],
  [
    /\b\w*(initialis|finalis|serialis|normalis|organis|recognis|optimis|summaris|synchronis|specialis|minimis|maximis|randomis|generalis|characteris|categoris|prioritis|materialis|vectoris|tokenis|localis|realis)(e|ed|es|er|ers|ing|ation|ations)\b/i,
    'American spelling: -ize',
  ],
  [
    /\b(behaviours?|licences?|colours?|neighbours?|favours?|honours?|cancelled|cancelling|centres?|catalogue|grey|learnt|spelt|artefacts?|analyse[ds]?|labelled|travelled|modelled|signalled|unlabelled|favourite|judgement|acknowledgement|towards|afterwards|backwards compatible)\b/i,
    'American spelling',
  ],
];

const COMMENT = /^\s*(\/\/[/!]?|\*|\/\*+|#(?!\[|!|\s*(include|define|if|ifdef|ifndef|endif|else|pragma)\b))/;

/**
 * The prose of a line: all of it in Markdown, without inline code and the targets of links; comments
 * and strings in sources.
 * @param {string} line @param {string} path
 */
function proseOf(line, path) {
  if (path.endsWith('.md')) return line.replaceAll(/`[^`]*`/g, '``').replaceAll(/\]\([^)]*\)/g, ']()');
  if (COMMENT.test(line)) return line;
  const trailing = /(?<!:)\/\/ .*$/.exec(line)?.[0] ?? '';
  const strings = line.match(/(["'`])(?:\\.|(?!\1)[^\\])*\1/g) ?? [];
  // A line inside a string of several lines (a message in Rust, a template) has no quotes.
  const inside = /^\s+[A-Za-z][^;{}()=]*$/.test(line) ? line : '';
  return [...strings, trailing, inside].join(' ');
}

/** Whether a line is prose that can be wrapped, and is too wide. @param {string} line @param {string} path */
function isTooWide(line, path) {
  if ([...line].length <= WIDTH) return false;
  if (!path.endsWith('.md') && !/^\s*(\/\/|\*|\/\*)/.test(line)) return false;
  return !UNWRAPPED.test(line.replace(/^\s*(\/\/[/!]?|\*)/, ''));
}

/**
 * The findings in a text. In a code block of Markdown only comments are prose, and width is free.
 * @param {string} text @param {string} path
 * @returns {{ line: number, found: string, better: string }[]}
 */
export function lint(text, path) {
  /** @type {{ line: number, found: string, better: string }[]} */
  const findings = [];
  let code = false;
  text.split('\n').forEach((line, index) => {
    if (path.endsWith('.md') && /^\s*```/.test(line)) {
      code = !code;
      return;
    }
    if (!code && isTooWide(line, path)) {
      findings.push({
        line: index + 1,
        found: `${[...line].length} columns`,
        better: `wrap prose at ${WIDTH}`,
      });
    }
    const prose = code ? line.replace(/^[^/#]*/, '') : proseOf(line, path);
    for (const [pattern, better] of RULES) {
      const match = pattern.exec(prose);
      if (match !== null) findings.push({ line: index + 1, found: match[0], better });
    }
  });
  return findings;
}

/** The tracked and new files under these paths, or all. @param {string[]} paths */
export function filesToLint(paths) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  return [...new Set(listed.split('\0'))].filter((path) => CHECKED.test(path) && !SKIPPED.test(path));
}

/** The folder that `--count` adds a file to. @param {string} path */
const folderOf = (path) =>
  path
    .split('/')
    .slice(0, path.startsWith('native/core') ? 4 : 2)
    .join('/');

function main() {
  const options = /** @type {const} */ ({ count: { type: 'boolean' } });
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  /** @type {Map<string, number>} */
  const counts = new Map();
  let total = 0;
  for (const path of filesToLint(positionals)) {
    if (!existsSync(join(root, path))) continue; // Deleted, and not staged yet.
    const findings = lint(readFileSync(join(root, path), 'utf8'), path);
    if (findings.length === 0) continue;
    total += findings.length;
    const folder = folderOf(path);
    counts.set(folder, (counts.get(folder) ?? 0) + findings.length);
    if (values.count === true) continue;
    for (const { line, found, better } of findings) console.log(`${path}:${line}: "${found}": ${better}`);
  }
  if (values.count === true) {
    for (const [folder, count] of [...counts].sort((a, b) => b[1] - a[1])) {
      console.log(String(count).padStart(6), folder);
    }
  }
  const result = total === 0 ? 'no findings' : `${total} findings (docs/style.md has the alternatives)`;
  console.log(`prose: ${result}`);
  process.exitCode = total === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
