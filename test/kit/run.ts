/**
 * The structure kit: the tests that every structure passes, run over its description. A structure
 * keeps tests of its own only for its particular behavior (its model, its algorithms, its options).
 *
 *     describeStructure(title, description) in test/<module>/kit.test.ts
 *
 * - states: each public member in each state (owned, shared, attached, on a file, closed);
 * - sharing: other threads, tokens of another kind, an owner that closes first;
 * - files: save, open, truncation, files of another kind, errors of the operating system;
 * - objects: no internals to see, freezing, subclasses, JSON, cloning, inspection;
 * - bytes: checksums, golden files, every truncation, hostile bytes in processes of their own.
 */
import { describe } from 'vitest';
import { testBytes, testHostileBytes } from './bytes.js';
import type { Description } from './description.js';
import { testFiles } from './files.js';
import { testObject } from './objects.js';
import { testSharing } from './sharing.js';
import { testStates } from './states.js';

export function describeStructure(title: string, description: Description): void {
  describe(title, () => {
    describe('as hostile bytes', () => testHostileBytes(title, description.series));
    if (description.hostileOnly === true) return;
    describe('in each state', () => testStates(description));
    describe('shared', () => testSharing(title, description));
    describe('in a file', () => testFiles(description));
    describe('as an object', () => testObject(description));
    describe('as bytes', () => testBytes(description));
  });
}
