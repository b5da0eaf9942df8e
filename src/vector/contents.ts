/** What `offheap inspect` shows of a Vector. */
import type { Contents } from '../region/contents.js';
import { TYPE_NAMES } from '../region/element.js';
import { readShape } from '../elements/layout.js';

export function vector(words: Int32Array, available: number, path: string): Contents {
  const { type, count, capacity } = readShape(words, available, path);
  return { type: TYPE_NAMES[type]!, length: count, capacity };
}
