/**
 * Node.js replaces the handler of SIGBUS when a program adds a listener for it, and sets the
 * default action when it removes the last one. A truncated file then ended the process, or made it
 * loop. Each file that is mapped puts the handler back.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const module = new URL('../../dist/mmap/index.js', import.meta.url).href;

it.skipIf(process.platform !== 'linux').each(['added', 'added and removed'])(
  'a listener for SIGBUS that was %s does not undo the handling of truncated files',
  async (what) => {
    const source = `
      import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
      import { tmpdir } from 'node:os';
      import { join } from 'node:path';
      import { MappedFile } from ${JSON.stringify(module)};
      const folder = mkdtempSync(join(tmpdir(), 'offheap-sigbus-'));
      const [first, second] = ['a', 'b'].map((name) => join(folder, name));
      for (const path of [first, second]) writeFileSync(path, Buffer.alloc(1 << 20, 7));
      const file = MappedFile.open(first, { strategy: 'mmap' });
      const listener = () => {};
      process.on('SIGBUS', listener);
      if (${String(what !== 'added')}) process.off('SIGBUS', listener);
      MappedFile.open(second, { strategy: 'mmap' });
      truncateSync(first, 4096);
      let sum = 0;
      for (let i = 0; i < file.bytes.length; i += 4096) sum += file.bytes[i];
      rmSync(folder, { recursive: true });
      console.log('sum', sum);
      process.exit();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', source],
      { timeout: 20_000, killSignal: 'SIGKILL' },
    );
    expect(stdout).toBe('sum 7\n');
  },
);
