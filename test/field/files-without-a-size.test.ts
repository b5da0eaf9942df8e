/** Files whose contents the kernel makes up report no size; they were opened as empty files. */
import { expect, it } from 'vitest';
import { MappedFile } from '../../src/mmap/index.js';

it.skipIf(process.platform !== 'linux').each(['/proc/self/maps', '/proc/version'])(
  'MappedFile refuses %s',
  (path) => {
    expect(() => MappedFile.open(path)).toThrow(
      expect.objectContaining({ code: 'ERR_OFFHEAP_UNSUPPORTED', message: expect.stringContaining(path) }),
    );
  },
);
