/**
 * Long work of native code off the main thread, as promises that can be aborted and tell how far
 * they are.
 *
 * JavaScript and the work share a control, the `oh_control` of the C ABI: words 0 to 5 are cancel,
 * 0, done (low, high), total (low, high). Nothing is called from the other thread: a timer looks at
 * the control now and then.
 */
import { allocating } from '../errors.js';
import { readLong } from './format.js';
import { readOptions } from './options.js';
import { readWorkOptions, type Progress, type WorkOptions } from './progress.js';

const CANCEL = 0;
const DONE = 2;
const TOTAL = 4;
const CONTROL_BYTES = 24;
/** Milliseconds between two looks at the control. */
const LOOK_EVERY = 50;

/** One piece of work. */
export class Background {
  readonly control = allocating(
    'a control',
    CONTROL_BYTES,
    () => new Int32Array(new SharedArrayBuffer(CONTROL_BYTES)),
  );

  private constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly onProgress: WorkOptions['onProgress'],
  ) {}

  /** Reads the options; throws the signal's reason if it is aborted already. */
  static from(options: unknown, what: string): Background {
    const { signal, onProgress } = readWorkOptions(readOptions(options, ['signal', 'onProgress'], what));
    signal?.throwIfAborted();
    return new Background(signal, onProgress);
  }

  /** Asks the work to stop soon. */
  cancel(): void {
    Atomics.store(this.control, CANCEL, 1);
  }

  /**
   * Waits for work that was given the control, and resolves to whether it was done: `false` after
   * {@link cancel}. Rejects with the signal's reason if that stopped it. Work that was done before
   * it could be stopped counts as done.
   */
  async run(start: (control: Int32Array) => Promise<boolean>): Promise<boolean> {
    const { signal, onProgress } = this;
    let thrown: { error: unknown } | undefined;
    const tell = (progress: Progress): void => {
      try {
        onProgress?.(progress);
      } catch (error) {
        thrown ??= { error };
        this.cancel();
      }
    };
    const abort = (): void => this.cancel();
    signal?.addEventListener('abort', abort, { once: true });
    const timer =
      onProgress === undefined
        ? undefined
        : setInterval(() => {
            const progress = this.progress();
            if (progress.total > 0 && thrown === undefined) tell(progress);
          }, LOOK_EVERY);
    try {
      const finished = await start(this.control);
      if (finished && thrown === undefined) {
        const { total } = this.progress();
        tell({ done: total, total });
      }
      if (thrown !== undefined) throw thrown.error;
      if (!finished) signal?.throwIfAborted();
      return finished;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  private progress(): Progress {
    const total = readLong(this.control, TOTAL);
    return { done: Math.min(readLong(this.control, DONE), total), total };
  }
}
