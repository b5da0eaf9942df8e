/** The lints for prose and for the subjects of commits. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';

const script = (name: string): string => pathToFileURL(join(packageRoot(), 'scripts', name)).href;
const { lint, RULES } = (await import(script('prose.mjs'))) as {
  lint: (text: string, path: string) => { line: number; found: string; better: string }[];
  RULES: [RegExp, string][];
};
const { problem } = (await import(script('commits.mjs'))) as {
  problem: (subject: string) => string | undefined;
};

/** A sentence for each rule, in the order of the rules, and the words that it must report. */
const BAD: [string, string][] = [
  ['A region can not move.', 'can not'],
  ['The caller vouches for the length.', 'vouches'],
  ["The bounds are the caller's word.", "caller's word"],
  ['It is computed anew.', 'anew'],
  ['Whoever has it may free it.', 'Whoever'],
  ['There are so many blocks.', 'so many'],
  ['That is the slow road.', 'slow road'],
  ['See getElsewhere for growth.', 'tElsewhere'],
  ['The elements lie behind the header.', 'behind'],
  ['The length stands in word 4.', 'stands in'],
  ['The words stand next to it.', 'stand next'],
  ['It returns what it found.', 'what it'],
  ['These are no keys of this map.', 'are no keys of'],
  ["'42 is no oh_type'", '2 is no o'],
  ['Blocks come home to the cache.', 'come home'],
  ['The file is cut and nobody dies.', 'nobody dies'],
  ['The count can be told from the header.', 'can be told'],
  ['A thread who wants it waits.', 'who wants it'],
  ['Hence the mask.', 'Hence'],
  ['The arena is initialised once.', 'initialised'],
  ['The behaviour is defined.', 'behaviour'],
];

describe('the prose lint', () => {
  it('has a bad sentence for each rule', () => {
    expect(BAD).toHaveLength(RULES.length);
    BAD.forEach(([sentence], index) => expect(sentence).toMatch(RULES[index][0]));
  });

  it.each(BAD)('reports "%s"', (sentence, words) => {
    const quoted = sentence.startsWith("'");
    const source = quoted ? `throw new Error(${sentence});` : `// ${sentence}`;
    expect(lint(source, 'src/file.ts').map(({ found }) => found)).toContain(words);
    if (!quoted) expect(lint(sentence, 'docs/page.md').map(({ found }) => found)).toContain(words);
  });

  it.each([
    'The caller guarantees that the length is at most the capacity.',
    'Returns the entries that were found, or an error with the code of the first failure.',
    'A reader cannot see the new value before the tag, because both stores are released.',
    'The free list of slots contains an invalid index.',
    'Initialize the arena, then attach it; the behavior of a second call is the same.',
    'There is no entry at this position, and no other thread writes here.',
  ])('accepts "%s"', (sentence) => {
    expect(lint(`// ${sentence}`, 'src/file.ts')).toEqual([]);
    expect(lint(sentence, 'docs/page.md')).toEqual([]);
  });

  it('reports prose that is wider than 100 columns, but not tables, links and code', () => {
    const wide = `A sentence ${'that continues '.repeat(8)}to the end.`;
    const [finding] = lint(`Fine.\n${wide}`, 'docs/page.md');
    expect(finding).toMatchObject({ line: 2, found: `${wide.length} columns` });
    expect(lint(`// ${wide}`, 'src/file.ts')).toHaveLength(1);
    expect(lint(`const text = '${wide}';`, 'src/file.ts')).toEqual([]);
    expect(lint(`| ${wide} |`, 'docs/page.md')).toEqual([]);
    expect(lint(`See https://example.org/${'a'.repeat(100)}`, 'docs/page.md')).toEqual([]);
    expect(lint(`\`\`\`\n${wide}\n\`\`\``, 'docs/page.md')).toEqual([]);
  });

  it('reads comments and strings of sources, and no identifiers or inline code', () => {
    expect(lint('const behind = 1;', 'src/file.ts')).toEqual([]);
    expect(lint('const message = "it lies behind";', 'src/file.ts')).toHaveLength(1);
    expect(lint('let x = 1; // it lies behind', 'native/file.rs')).toHaveLength(1);
    expect(lint('The option `behind` is new.', 'docs/page.md')).toEqual([]);
    expect(lint('# it lies behind', 'scripts/file.sh')).toHaveLength(1);
  });
});

describe('the commit lint', () => {
  it.each([
    'fix(pools): reject a double free of a merged block',
    'refactor(region)!: name the table of a structure',
    'docs: add a style guide with a glossary',
    'Merge branch x',
  ])('accepts "%s"', (subject) => {
    expect(problem(subject)).toBeUndefined();
  });

  it.each([
    ['Fix things', 'type'],
    ['feature: add maps', 'type'],
    [`fix: ${'a'.repeat(70)}`, 'characters'],
    ['fix: reject it.', 'period'],
    ['fix: Reject it', 'capital'],
    ['fix: fixed the pool', 'imperative'],
  ])('rejects "%s" for its %s', (subject, reason) => {
    expect(problem(subject)).toContain(reason);
  });
});
