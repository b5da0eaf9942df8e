/**
 * Measurements in a process of their own: a heap that nothing else has grown, code that nothing
 * else has trained, and a collector that can be called.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a script that called {@link serve}, and gives its answer.
 *
 * @template T
 * @param {string | URL} script
 * @param {object} options structured-cloneable
 * @returns {Promise<T>}
 */
export function inChild(script, options) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(script), [], {
      execArgv: ['--expose-gc', '--max-old-space-size=16384'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    /** @type {any} */
    let answer;
    child.once('message', (message) => (answer = message));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (answer?.failed !== undefined) reject(new Error(answer.failed));
      else if (answer !== undefined) resolve(answer.result);
      else reject(new Error(`${script} ended without an answer (${signal ?? `exit code ${code}`})`));
    });
    child.send(options);
  });
}

/**
 * The child's side: waits for the options, runs once, answers and leaves.
 * @param {(options: any) => unknown} work
 */
export function serve(work) {
  process.once('message', async (options) => {
    let answer;
    try {
      answer = { result: await work(options) };
    } catch (error) {
      answer = { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send?.(answer, () => process.disconnect());
  });
}
