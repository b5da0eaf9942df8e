/** Snapshots: files with the entries of one instant, written while others change the map. */
import { native } from '../native.js';
import { Background } from '../region/background.js';
import { checkPath, ioError, replaceFile } from '../region/file.js';
import { TYPE_NAMES } from '../region/element.js';
import type { WorkOptions } from '../region/progress.js';
import { isNativeError } from 'node:util/types';
import { POLICIES, valueTypeOf } from './schema.js';
import type { SharedMapTable } from './table.js';

/** Saves to a file atomically; see {@link SharedMap.save}. */
export async function saveSnapshot(
  table: SharedMapTable,
  path: unknown,
  options: WorkOptions | undefined,
): Promise<void> {
  const target = checkPath(path);
  const background = Background.from(options, 'save');
  const { bytes } = table.region;
  await replaceFile(target, options?.signal, async (_, temporary) => {
    await background.run((control) => native().sharedmapSave(bytes, temporary, control));
  });
}

/** Options of a map with the entries of a snapshot: those of the snapshot, and those given. */
export function optionsOf(path: unknown, given: object | undefined): Record<string, unknown> {
  const target = checkPath(path);
  let info: ReturnType<ReturnType<typeof native>['sharedmapSnapshotInfo']>;
  try {
    info = native().sharedmapSnapshotInfo(target);
  } catch (error) {
    throw isNativeError(error) && (error as { code?: string }).code === 'ERR_OFFHEAP_IO'
      ? ioError(`opening ${target} failed`, (error as { cause?: unknown }).cause ?? error)
      : error;
  }
  const former = { policy: POLICIES[info.policy], onFull: info.reject ? 'reject' : 'evict' };
  return {
    key: TYPE_NAMES[info.key],
    value: valueTypeOf(info.value),
    maxBytes: info.maxBytes,
    ...((given as { choose?: unknown } | undefined)?.choose === undefined ? former : {}),
    ...(info.ttl > 0 ? { ttl: info.ttl } : {}),
    ...given,
  };
}

/** Stores the entries of a snapshot. */
export async function restoreSnapshot(table: SharedMapTable, path: unknown): Promise<void> {
  await native().sharedmapRestore(table.region.bytes, checkPath(path));
}
