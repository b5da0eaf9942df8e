/**
 * The scripts that prepare a clone: their messages for missing tools, and when they rebuild.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';

const execute = promisify(execFile);
const root = packageRoot();
const work = mkdtempSync(join(tmpdir(), 'offheap-scripts-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const library = (name: string): string => pathToFileURL(join(root, 'scripts', 'lib', `${name}.mjs`)).href;

interface Failure {
  code: number;
  stdout: string;
  stderr: string;
}
const failing = (args: string[], env: NodeJS.ProcessEnv = process.env): Promise<Failure> =>
  execute(process.execPath, args, { cwd: root, env }).then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as Failure,
  );

/** An environment whose PATH has programs that print these versions. */
function tools(versions: Record<string, string>): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(work, 'bin-'));
  for (const [name, version] of Object.entries(versions)) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho '${name} ${version}'\n`, { mode: 0o755 });
  }
  return { PATH: folder, HOME: work };
}
const check = [
  '--input-type=module',
  '-e',
  `import { checkBuildTools } from '${library('tools')}'; import { fail } from '${library('run')}';
   await checkBuildTools().catch(fail); console.log('all there');`,
];

describe.skipIf(process.platform === 'win32')('missing tools', () => {
  it('are listed in one line, with the way to get them', async () => {
    const { code, stderr } = await failing(check, tools({}));
    expect(code).toBe(1);
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/Rust.*rustup.*CMake.*C\+\+ compiler.*make or Ninja/);
  });

  it('are distinguished from old ones', async () => {
    const { stderr } = await failing(
      check,
      tools({ cargo: '1.60.0', cmake: 'version 3.30.1', 'c++': '(Debian 12.2.0-14) 12.2.0', make: '4.3' }),
    );
    expect(stderr).toContain('Rust (cargo) 1.60.0 is too old');
    expect(stderr).not.toMatch(/CMake|compiler|Ninja/);
  });

  it('are not reported if all tools are present', async () => {
    const env = tools({ cargo: '1.95.0', cmake: 'version 3.25.1', 'c++': '12.2.0', ninja: '1.11' });
    const { stdout } = await execute(process.execPath, check, { env });
    expect(stdout).toBe('all there\n');
  });
});

describe('stale outputs', () => {
  it('are made once for each change, and again if they are missing', async () => {
    const { ifStale } = (await import(library('stale'))) as {
      ifStale: (step: {
        name: string;
        inputs: string[];
        outputs: string[];
        make: () => Promise<void>;
      }) => Promise<void>;
    };
    // Below build/, because paths are relative to the repository.
    const folder = join(root, 'build', `stale-test-${process.pid}`);
    const inputs = join(folder, 'inputs');
    mkdirSync(inputs, { recursive: true });
    const [input, output] = [join(inputs, 'a.txt'), join(folder, 'out')];
    writeFileSync(input, 'a');
    let made = 0;
    let broken = false;
    const step = (): Promise<void> =>
      ifStale({
        name: `test-${process.pid}`,
        inputs: [relative(root, inputs)],
        outputs: [relative(root, output)],
        make: async () => {
          made++;
          if (broken) throw new Error('broken');
          writeFileSync(output, 'made');
        },
      });
    try {
      await step();
      await step();
      expect(made).toBe(1);
      rmSync(output);
      await step();
      expect(made).toBe(2);
      writeFileSync(join(inputs, 'b.txt'), 'new file');
      await step();
      expect(made).toBe(3);
      utimesSync(input, new Date(), new Date(2001, 1, 1));
      broken = true;
      await expect(step()).rejects.toThrow('broken');
      broken = false;
      await step();
      expect(made).toBe(5);
      await step();
      expect(made).toBe(5);
    } finally {
      rmSync(folder, { recursive: true });
      rmSync(join(root, 'build', 'stamps', `test-${process.pid}`), { force: true });
    }
  });
});

describe('npm test', () => {
  it('rejects an unknown suite', async () => {
    const { code, stderr } = await failing(['scripts/test.mjs', '--only', 'nope']);
    expect(code).toBe(1);
    expect(stderr.trim()).toMatch(/^offheap: unknown suite: nope\. The suites are .*vitest.*\.$/);
  });

  it('treats a tool that crashed, or ran no tests, as failed', async () => {
    const { counted } = (await import(library('suites'))) as {
      counted: (result: object, passed: RegExp, failed: RegExp) => { passed: number; failed: number };
    };
    const count = (code: number, output: string): [number, number] => {
      const { passed, failed } = counted({ code, output }, /(\d+) good/g, /(\d+) bad/g);
      return [passed, failed];
    };
    expect(count(0, '3 good 0 bad, 4 good 0 bad')).toEqual([7, 0]);
    expect(count(1, '3 good 2 bad')).toEqual([3, 2]);
    expect(count(139, '3 good 0 bad')).toEqual([3, 1]);
    expect(count(0, '')).toEqual([0, 1]);
    expect(count(0, '0 good 0 bad')).toEqual([0, 1]);
  });
});
