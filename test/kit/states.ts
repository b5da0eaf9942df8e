/** Every public member in every state that a structure can be in. */
import { expect, it, describe } from 'vitest';
import { rejected, thrown, throws } from '../helpers/errors.js';
import { OWN_TESTS, plain, type Description } from './description.js';
import { temporaryFolder } from './folder.js';

/** The public members of a class and of its parents. */
export function publicMembers(Class: any): string[] {
  const names = new Set<string>();
  for (let proto = Class.prototype; proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
    for (const name of Reflect.ownKeys(proto as object)) names.add(String(name));
  }
  return [...names];
}

export function testStates({ Class, make, contents, operations, background, iterator }: Description): void {
  const { fresh } = temporaryFolder();
  /** Owners outlive their test through this list, so that attached structures keep their memory. */
  const owners: unknown[] = [];

  it('has an operation in its description for each public member', () => {
    const known = new Set([...Object.keys(operations), ...Object.keys(background ?? {}), ...OWN_TESTS]);
    expect(publicMembers(Class).filter((name) => !known.has(name))).toEqual([]);
  });

  async function owned(): Promise<any> {
    const structure = await make();
    owners.push(structure);
    return structure;
  }
  async function saved(): Promise<string> {
    const path = fresh();
    await (await owned()).save(path);
    return path;
  }
  const states: Record<string, () => Promise<any>> = {
    owned,
    'shared with others': async () => {
      const structure = await owned();
      structure.share();
      return structure;
    },
    attached: async () => Class.attach((await owned()).share()),
    'opened with mode r': async () => Class.open(await saved()),
    'opened with mode rw': async () => Class.open(await saved(), { mode: 'rw' }),
    'attached to an opened one': async () => {
      const opened = Class.open(await saved(), { mode: 'rw' });
      owners.push(opened);
      return Class.attach(opened.share());
    },
    'copied from bytes': async () => Class.fromBytes((await owned()).toBytes()),
  };
  const writable = new Set(['owned', 'shared with others', 'opened with mode rw', 'copied from bytes']);

  describe.each(Object.entries(states))('%s', (state, enter) => {
    it.each(Object.entries(operations))(
      '%s works, or is refused',
      async (_name, { run, writes, result, varies }) => {
        const structure = await enter();
        if (writes === true && !writable.has(state)) {
          const before = contents(structure);
          throws(() => run(structure), 'ERR_OFFHEAP_UNSUPPORTED', /can be read, not changed/);
          expect(contents(structure)).toEqual(before);
        } else {
          const expected = result ?? (varies === true ? undefined : plain(run(await owned())));
          const actual = plain(run(structure));
          if (expected !== undefined && actual !== structure) expect(actual).toEqual(expected);
          structure.validate();
        }
        structure.close();
        expect(thrown(() => run(structure)).code).toBe('ERR_OFFHEAP_CLOSED');
      },
    );

    it('can be closed twice, and also by `using`', async () => {
      const structure = await enter();
      expect(structure.close()).toBeUndefined();
      expect(structure.close()).toBeUndefined();
      structure[Symbol.dispose]();
      const other = await enter();
      other[Symbol.dispose]();
      throws(() => other.byteLength, 'ERR_OFFHEAP_CLOSED', /closed/);
    });

    it('saves its contents, and nothing after close()', async () => {
      const structure = await enter();
      const path = fresh();
      await structure.save(path);
      expect(contents(Class.open(path))).toEqual(contents(structure));
      structure.close();
      expect((await rejected(structure.save(path))).code).toBe('ERR_OFFHEAP_CLOSED');
      expect(contents(Class.open(path))).toEqual(contents(await owned()));
    });

    if (iterator !== undefined) {
      it('refuses to continue an iteration after close()', async () => {
        const structure = await enter();
        const iteration = iterator(structure);
        expect(iteration.next().done).toBe(false);
        structure.close();
        throws(() => iteration.next(), 'ERR_OFFHEAP_CLOSED', /closed/);
      });
    }
  });

  for (const [name, start] of Object.entries(background ?? {})) {
    it(`rejects ${name} after close()`, async () => {
      const structure = await owned();
      structure.close();
      expect((await rejected(start(structure))).code).toBe('ERR_OFFHEAP_CLOSED');
    });
  }

  it.each(Object.entries(operations).filter(([, { writes }]) => writes === true))(
    'does not change the file of mode rw: %s',
    async (_name, { run }) => {
      const path = await saved();
      const opened = Class.open(path, { mode: 'rw' });
      run(opened);
      opened.validate();
      const attached = Class.attach(opened.share());
      expect(contents(attached)).toEqual(contents(opened));
      opened.close();
      expect(contents(Class.open(path))).toEqual(contents(await owned()));
    },
  );
}
