/** Sharing with other threads, and tokens that lead nowhere. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { throws } from '../helpers/errors.js';
import type { Description } from './description.js';

export function testSharing({ name, kind, Class, make, contents }: Description): void {
  it('is read by a worker, and survives a worker that is terminated while it reads', async () => {
    const structure = await make();
    const token = structure.share();
    const workerData = { dist: join(packageRoot(), 'dist'), name, token };
    for (const forever of [false, true, true]) {
      const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
        workerData: { ...workerData, forever },
      });
      const [answer] = await once(worker, 'message');
      expect(answer).toMatchObject({ origin: 'attached', shared: true });
      await worker.terminate();
    }
    expect(contents(structure)).toEqual(contents(await make()));
    structure.validate();
  });

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
    for (const wrong of [
      undefined,
      null,
      1,
      'token',
      {},
      [],
      new SharedArrayBuffer(512),
      { offheap: kind },
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
