/**
 * The subjects of commits: Conventional Commits, imperative, at most 72 characters, no period.
 *
 *   node scripts/commits.mjs              the last commit
 *   node scripts/commits.mjs main..HEAD   these commits
 */
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { root } from './lib/run.mjs';

const TYPES = ['build', 'chore', 'ci', 'docs', 'feat', 'fix', 'perf', 'refactor', 'revert', 'style', 'test'];
const SUBJECT = new RegExp(`^(${TYPES.join('|')})(\\([a-z0-9,/-]+\\))?!?: (.+)$`);
const LONGEST = 72;

/** The defect of a subject, or `undefined`. @param {string} subject */
export function problem(subject) {
  if (/^(Merge|Revert) /.test(subject)) return undefined;
  const text = SUBJECT.exec(subject)?.[3];
  if (text === undefined) return `does not begin with a type (${TYPES.join(', ')}) and a colon`;
  if ([...subject].length > LONGEST) return `has ${[...subject].length} characters, more than ${LONGEST}`;
  if (text.endsWith('.')) return 'ends with a period';
  if (/^[A-Z][a-z]/.test(text)) return 'begins with a capital letter';
  if (/^(added|adds|fixed|fixes|removed|removes|changed|changes|updated|updates)\b/.test(text)) {
    return 'is not imperative';
  }
  return undefined;
}

function main() {
  const range = process.argv[2] ?? 'HEAD^..HEAD';
  const log = execFileSync('git', ['log', '--format=%h %s', range], { cwd: root, encoding: 'utf8' });
  const lines = log.split('\n').filter((line) => line !== '');
  let wrong = 0;
  for (const line of lines) {
    const [hash] = line.split(' ', 1);
    const found = problem(line.slice(hash.length + 1));
    if (found === undefined) continue;
    wrong++;
    console.log(`${line}\n    ${found}`);
  }
  console.log(`commits: ${lines.length} checked, ${wrong} wrong`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
