/** Errors of the operating system used to arrive as text only, without the documented cause. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { nativeError, OffheapError } from '../../src/errors.js';
import { HashMap } from '../../src/hashmap/index.js';
import { MappedFile, MmapVector } from '../../src/mmap/index.js';
import { ioError, isSystemError } from '../../src/region/file.js';
import { RecordStore, BloomFilter } from '../../src/compress/index.js';
import { SmallMapArena } from '../../src/smallmap/index.js';
import { BitVector } from '../../src/succinct/index.js';
import { Vector } from '../../src/vector/index.js';
import { thrown } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-causes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'file');
writeFileSync(file, 'contents');
const missing = join(folder, 'missing');
const cause = (action: () => unknown): NodeJS.ErrnoException => {
  const error = thrown(action);
  expect(error).toBeInstanceOf(OffheapError);
  expect(error.code).toBe('ERR_OFFHEAP_IO');
  return error.cause as NodeJS.ErrnoException;
};

const OPENED = {
  MappedFile,
  MmapVector,
  HashMap,
  Vector,
  SmallMapArena,
  BitVector,
  BloomFilter,
  RecordStore,
};

describe.each(Object.entries(OPENED))('the cause of the error of %s.open', (_name, Class) => {
  const open = (path: string) => () => (Class as { open(path: string): unknown }).open(path);

  it('is ENOENT for a missing file', () => {
    expect(cause(open(missing))).toMatchObject({ code: 'ENOENT', errno: -2, path: missing });
    expect(typeof cause(open(missing)).syscall).toBe('string');
  });

  it('is ENOTDIR for a path through a file', () => {
    expect(cause(open(join(file, 'x')))).toMatchObject({ code: 'ENOTDIR' });
  });

  it('is EISDIR for a directory', () => {
    expect(cause(open(folder))).toMatchObject({ code: 'EISDIR' });
  });
});

describe('the cause of other errors', () => {
  it('is EEXIST when a file is created that exists', () => {
    expect(cause(() => MmapVector.create(file, 'f64'))).toMatchObject({ code: 'EEXIST', syscall: 'open' });
  });

  it('is ENOENT when a file is created in a missing directory', () => {
    expect(cause(() => MmapVector.create(join(missing, 'x'), 'f64')).code).toBe('ENOENT');
  });

  it('is what the system reports when a structure cannot be saved', async () => {
    const map = new HashMap({ key: 'u32', value: 'u32' });
    const code = async (path: string): Promise<unknown> => {
      const error = (await map.save(path).catch((thrown: unknown) => thrown)) as OffheapError;
      expect(error.code).toBe('ERR_OFFHEAP_IO');
      return (error.cause as NodeJS.ErrnoException).code;
    };
    expect(await code(join(missing, 'x'))).toBe('ENOENT');
    expect(await code(join(file, 'x'))).toBe('ENOTDIR');
    mkdirSync(join(folder, 'directory'));
    expect(await code(join(folder, 'directory'))).toBe('EISDIR');
    // A separator at the end names a directory; it used to be removed.
    expect(await code(join(folder, 'absent') + '/')).toBe('ENOENT');
    expect(await code(file + '/')).toBe('ENOTDIR');
  });

  it('is absent where the message names no error, or an unknown one', () => {
    expect(nativeError('ERR_OFFHEAP_IO', 'x was truncated').cause).toBeUndefined();
    expect(nativeError('ERR_OFFHEAP_IO', 'cannot open x: odd (os error 9999)').cause).toBeUndefined();
    expect(nativeError('ERR_OFFHEAP_FULL', 'no room (os error 28)').cause).toMatchObject({ code: 'ENOSPC' });
  });
});

describe('errors of another realm, as in Jest and the vm pools of Vitest', () => {
  const foreign = runInNewContext(
    `Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' })`,
  ) as unknown;

  it('are recognized as errors of the system', () => {
    expect(foreign).not.toBeInstanceOf(Error);
    expect(isSystemError(foreign)).toBe(true);
    expect(isSystemError({ syscall: 'open' })).toBe(false);
    expect(ioError('saving x failed', foreign)).toMatchObject({
      code: 'ERR_OFFHEAP_IO',
      message: 'saving x failed: ENOENT: no such file',
      cause: foreign,
    });
  });
});
