/**
 * The prose lint: reports phrases that docs/style.md rules out, British spellings, and prose that is
 * wider than 100 columns. It reads Markdown, and the comments and strings of source files.
 *
 *   node scripts/prose.mjs                every tracked file
 *   node scripts/prose.mjs src/hashmap    these files and folders
 *   node scripts/prose.mjs --count        the number of findings per folder
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { root } from './lib/run.mjs';

const WIDTH = 100;
const CHECKED = /\.(md|ts|mjs|js|rs|c|cc|h|hpp|toml|sh|cmake|in)$|(^|\/)(CMakeLists\.txt|run)$/;
/** The style guide quotes what it rules out, this file and its test contain it, and one file is generated. */
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
  [/\b(is|are) no (such |valid |known )?[a-z_]+ (at|of|in)\b/i, 'is not a …'],
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

/** The text of a line that is prose: comments and strings of sources, everything else of Markdown. */
function proseOf(line, path) {
  if (path.endsWith('.md')) return line.replaceAll(/`[^`]*`/g, '``').replaceAll(/\]\([^)]*\)/g, '](…)');
  const comment = /^\s*(\/\/[/!]?|\*|\/\*+|#(?!\[|include|define|if|endif|else|pragma|!\[))/.test(line);
  if (comment) return line;
  const trailing = /(?<!:)\/\/ .*$/.exec(line)?.[0] ?? '';
  const strings = line.match(/(["'`])(?:\\.|(?!\1)[^\\])*\1/g) ?? [];
  // The inside of a string over several lines (a message in Rust, a template) is seen as a whole line.
  const inside = /^\s+[A-Za-z][^;{}()=]*$/.test(line) ? line : '';
  return [...strings, trailing, inside].join(' ');
}

/** @param {string} text @param {string} path @returns {{ line: number, found: string, better: string }[]} */
export function lint(text, path) {
  const findings = [];
  let code = false;
  text.split('\n').forEach((line, index) => {
    if (path.endsWith('.md') && /^\s*```/.test(line)) {
      code = !code;
      return;
    }
    const report = (found, better) => findings.push({ line: index + 1, found, better });
    if (!code) {
      const comment = /^\s*(\/\/|\*|\/\*)/.test(line);
      if (
        (path.endsWith('.md') || comment) &&
        [...line].length > WIDTH &&
        !UNWRAPPED.test(line.replace(/^\s*(\/\/[/!]?|\*)/, ''))
      )
        report(`${[...line].length} columns`, `wrap prose at ${WIDTH}`);
    }
    const prose = code ? line.replace(/^[^/#]*/, '') : proseOf(line, path);
    for (const [pattern, better] of RULES) {
      const match = pattern.exec(prose);
      if (match !== null) report(match[0], better);
    }
  });
  return findings;
}

/** @param {string[]} paths */
export function filesToLint(paths) {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return [...new Set(listed.split('\0'))].filter((path) => CHECKED.test(path) && !SKIPPED.test(path));
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { count: { type: 'boolean' } },
  });
  /** @type {Map<string, number>} */
  const counts = new Map();
  let total = 0;
  for (const path of filesToLint(positionals)) {
    let text;
    try {
      text = readFileSync(join(root, path), 'utf8');
    } catch {
      continue; // Deleted, and not yet staged.
    }
    const findings = lint(text, path);
    total += findings.length;
    const folder = path
      .split('/')
      .slice(0, path.startsWith('native/core') ? 4 : 2)
      .join('/');
    if (findings.length > 0) counts.set(folder, (counts.get(folder) ?? 0) + findings.length);
    if (values.count === true) continue;
    for (const { line, found, better } of findings) console.log(`${path}:${line}: "${found}": ${better}`);
  }
  if (values.count === true)
    for (const [folder, count] of [...counts].sort((a, b) => b[1] - a[1]))
      console.log(String(count).padStart(6), folder);
  console.log(
    total === 0
      ? 'prose: no findings'
      : `prose: ${total} findings (docs/style.md says what to write instead)`,
  );
  process.exitCode = total === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
