/**
 * Measurements in a process of their own: its heap and its compiled code have not seen any other
 * work, and its garbage collector can be called.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a script that calls {@link serve}, and returns its answer.
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
 * The child's side: waits for the options, runs once, sends the answer and exits.
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
