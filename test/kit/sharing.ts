/** Sharing with other threads, and tokens that lead nowhere. */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { HashMap, Vector } from '../../src/index.js';
import { packageRoot } from '../../src/native.js';
import { throws } from '../helpers/errors.js';
import { plain, type Description } from './description.js';

export function testSharing(title: string, { kind, Class, make, contents, operations }: Description): void {
  /** Starts a worker that attaches the structure. */
  async function start(token: unknown, forever: boolean): Promise<{ worker: Worker; answer: any }> {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { dist: join(packageRoot(), 'dist'), title, token, forever },
    });
    const [answer] = await once(worker, 'message');
    return { worker, answer };
  }
  const writes = Object.entries(operations).filter(([, operation]) => operation.writes === true);

  it('is read by a worker, and survives a worker that is terminated while it reads', async () => {
    const structure = await make();
    const token = structure.share();
    for (const forever of [false, true, true]) {
      const { worker, answer } = await start(token, forever);
      expect(answer).toMatchObject({ origin: 'attached', shared: true });
      expect(answer.contents).toEqual(contents(structure));
      for (const [name, { run, writes: changes, varies }] of Object.entries(operations)) {
        if (changes === true || varies === true) continue;
        expect(plain(answer.results[name]), name).toEqual(plain(run(structure)));
      }
      await worker.terminate();
    }
    expect(contents(structure)).toEqual(contents(await make()));
    structure.validate();
  });

  it.runIf(writes.length > 0)('can be changed while workers read it and are terminated', async () => {
    for (let round = 0; round < 2; round++) {
      const structure = await make();
      const { worker } = await start(structure.share(), true);
      let failed: unknown;
      worker.once('error', (error) => (failed = error));
      for (const [, { run }] of writes) {
        run(structure);
        await setTimeout(1);
      }
      await worker.terminate();
      expect(failed).toBeUndefined();
      structure.validate();
      expect(contents(Class.attach(structure.share()))).toEqual(contents(structure));
    }
  });

  it.each(writes)(
    'shows the change by %s in structures that were attached before',
    async (_name, { run }) => {
      const structure = await make();
      const attached = Class.attach(structure.share());
      const second = Class.attach(structuredClone(attached.share()));
      expect(contents(attached)).toEqual(contents(structure));
      run(structure);
      for (const each of [attached, second]) {
        expect(contents(each)).toEqual(contents(structure));
        each.validate();
      }
    },
  );

  it('stays readable for others after its owner closed it', async () => {
    const structure = await make();
    const attached = Class.attach(structure.share());
    structure.close();
    const expected = contents(await make());
    expect(contents(attached)).toEqual(expected);
    const again = Class.attach(attached.share());
    attached.close();
    expect(contents(again)).toEqual(expected);
    again.validate();
  });

  it('gives a token that can be cloned and says its kind', async () => {
    const structure = await make();
    const token = structuredClone(structure.share());
    expect(token).toMatchObject({ offheap: kind });
    expect(contents(Class.attach(token))).toEqual(contents(structure));
  });

  it('rejects a token of another kind, and anything that is not a token', async () => {
    const token = (await make()).share();
    throws(() => Class.attach({ ...token, offheap: 'nothing' }), 'ERR_OFFHEAP_TYPE');
    for (const other of [new Vector('u8'), new HashMap({ key: 'u32', value: 'f64' })] as any[]) {
      if (other instanceof Class) continue;
      throws(() => Class.attach(other.share()), 'ERR_OFFHEAP_TYPE');
      throws(() => other.constructor.attach(token), 'ERR_OFFHEAP_TYPE');
    }
    for (const wrong of [
      undefined,
      null,
      1,
      'token',
      {},
      [],
      new SharedArrayBuffer(512),
      { offheap: kind },
      { offheap: kind, buffer: new ArrayBuffer(512) },
      { offheap: kind, buffer: new Uint8Array(512) },
    ]) {
      throws(() => Class.attach(wrong), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('rejects a token whose buffer is too small, or empty', () => {
    for (const bytes of [0, 1, 255, 256, 4096]) {
      const code = bytes < 256 ? 'ERR_OFFHEAP_TYPE' : 'ERR_OFFHEAP_CORRUPT';
      throws(() => Class.attach({ offheap: kind, buffer: new SharedArrayBuffer(bytes) }), code);
    }
  });
}
