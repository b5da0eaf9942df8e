/**
 * `offheap top <file>`: the figures of a SharedMap's file, again and again. It opens the file for
 * reading, so it takes no slot and disturbs no writer.
 *
 * On a terminal it has a screen of its own, which `q` and Ctrl-C end. Otherwise it prints one frame
 * after another.
 */
import { stat } from 'node:fs/promises';
import process, { stdin, stdout } from 'node:process';
import { isSystemError } from '../region/file.js';
import { SharedMap } from '../sharedmap/index.js';
import { plainJson } from './text.js';
import { ratesOf, screen, type Frame } from './top-screen.js';

/** Hottest keys that are shown. */
const KEYS = 10;

export interface TopOptions {
  /** Milliseconds between frames. */
  interval: number;
  /** Frames to print; Infinity: until it is ended. */
  count: number;
  json: boolean;
}

/** The file and its identity: the same name may belong to another file later. */
interface Opened {
  map: SharedMap<never, never>;
  inode: bigint;
}

async function identity(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

async function openMap(path: string): Promise<Opened> {
  const map = SharedMap.open<never, never>(path, { mode: 'r' });
  return { map, inode: (await identity(path)) ?? 0n };
}

function frameOf(path: string, { map }: Opened, note: string | undefined): Frame {
  return {
    path,
    time: Date.now(),
    stats: map.stats(),
    policy: map.policy,
    hotKeys: map.hotKeys(KEYS),
    participants: map.participants(),
    ...(note === undefined ? {} : { note }),
  };
}

/** Ends a wait: `q`, Ctrl-C, or a signal. */
class Stop {
  isSet = false;
  #wake: (() => void) | undefined;

  set = (): void => {
    this.isSet = true;
    this.#wake?.();
  };

  async wait(milliseconds: number): Promise<void> {
    if (this.isSet) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Prints frames until it is ended. Returns the exit code. */
export async function top(path: string, { interval, count, json }: TopOptions): Promise<number> {
  let opened = await openMap(path);
  const stop = new Stop();
  const isScreen = stdout.isTTY && !json;
  const onKey = (key: Buffer): void => {
    if (key.includes('q') || key.includes(3)) stop.set();
  };
  process.on('SIGINT', stop.set);
  process.on('SIGTERM', stop.set);
  // The reader of a pipe that ends is no failure.
  stdout.on('error', stop.set);
  if (isScreen) {
    stdout.write('\x1b[?1049h\x1b[?25l');
    if (stdin.isTTY) stdin.setRawMode(true).resume().on('data', onKey);
  }
  try {
    let previous: Frame | undefined;
    for (let shown = 0; shown < count && !stop.isSet; shown++) {
      if (shown > 0) await stop.wait(interval);
      if (stop.isSet) break;
      const inode = await identity(path);
      let note = inode === undefined ? 'the file was deleted; this is its last content' : undefined;
      if (inode !== undefined && inode !== opened.inode) {
        opened.map.close();
        opened = await openMap(path);
        previous = undefined;
        note = 'the file was replaced; this is the new one';
      }
      const frame = frameOf(path, opened, note);
      if (json) {
        stdout.write(plainJson({ ...frame, rates: ratesOf(frame, previous) }));
      } else if (isScreen) {
        const lines = screen(frame, previous, stdout.columns, stdout.rows - 1);
        stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
      } else {
        stdout.write(`${screen(frame, previous, stdout.columns ?? 100).join('\n')}\n\n`);
      }
      previous = frame;
    }
  } finally {
    if (isScreen) {
      stdout.write('\x1b[?25h\x1b[?1049l');
      if (stdin.isTTY) stdin.off('data', onKey).setRawMode(false).pause();
    }
    process.off('SIGINT', stop.set);
    process.off('SIGTERM', stop.set);
    opened.map.close();
  }
  return 0;
}
