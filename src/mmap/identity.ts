/** The identity of a file, by which a reader notices that a path names another file. */
import { statSync } from 'node:fs';
import { ioError } from '../region/file.js';

export function identify(path: string): { dev: number; ino: number } {
  try {
    const { dev, ino } = statSync(path);
    return { dev, ino };
  } catch (error) {
    throw ioError(`reading the identity of ${path} failed`, error);
  }
}
