/** The command line as a process: its output, its errors and its exit codes. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { version } from '../../src/version.js';

const main = join(packageRoot(), 'dist', 'cli', 'main.js');

function offheap(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('offheap', () => {
  it('helps, and tells its version', async () => {
    for (const args of [['--help'], ['-h'], ['help'], ['doctor', '--help']]) {
      const { code, stdout, stderr } = await offheap(...args);
      expect([code, stderr]).toEqual([0, '']);
      for (const word of ['doctor', 'inspect <file>', 'demo']) expect(stdout).toContain(word);
    }
    expect(await offheap('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([
    [[], 'no command given'],
    [['frobnicate'], 'unknown command: frobnicate'],
    [['--frobnicate'], "Unknown option '--frobnicate'"],
    [['doctor', 'extra'], 'unexpected argument: extra'],
    [['inspect'], 'inspect needs a file'],
    [['inspect', 'a', 'b'], 'unexpected argument: b'],
  ])('called as %j reports the error on stderr, with exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await offheap(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/\nTry: offheap --help\n$/);
    expect(stderr).not.toContain('    at ');
  });

  it('doctor prints a report, or JSON', async () => {
    const { code, stdout } = await offheap('doctor');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^offheap +\d/);
    expect(stdout).toMatch(/^kernels +\w+$/m);
    const json = await offheap('doctor', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ version, native: { loaded: true } });
  });
});
