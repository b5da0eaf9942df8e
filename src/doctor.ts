/**
 * A report on this machine: its features, and the fallbacks for missing ones.
 *
 * `doctor()` never throws, because it is meant for machines on which something does not work. It
 * reports the processor, NUMA nodes and huge pages (Linux, /sys), how the addon was loaded, and how
 * much address space one shared buffer may reserve (regions grow inside such reservations).
 * `fallbacks` lists features that are limited here, with the reason.
 */
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { arch, platform, versions } from 'node:process';
import { messageOf } from './errors.js';
import { native, nativeReport, type NativeReport } from './native.js';
import { numa, type NumaNode } from './region/numa.js';
import { version } from './version.js';

/** The features of the processor, and the kernels chosen for it. */
export interface CpuReport {
  /** The processor's name, as reported by the operating system. */
  model: string;
  /** Logical processors. */
  count: number;
  /** The features found, by their usual names: `'avx2'`, `'neon'`, … */
  features: string[];
  /** The set of vector kernels in use: `'avx512'`, `'avx2'`, `'sse2'`, `'neon'` or `'generic'`. */
  kernels: string;
}

/** The result of {@link doctor}: plain data that can be printed as JSON. */
export interface DoctorReport {
  version: string;
  node: string;
  platform: string;
  /** `undefined` if the addon cannot be loaded. */
  cpu: CpuReport | undefined;
  memoryBytes: number;
  /** Whether the system reports NUMA nodes and lets this process place memory. */
  numaAvailable: boolean;
  /** Without NUMA, one node with all memory; empty if the addon cannot be loaded. */
  numaNodes: NumaNode[];
  hugePages: {
    /** `'always'`, `'madvise'` or `'never'`; `undefined` without such a setting. */
    transparent: string | undefined;
    /** The same for shared memory. */
    shared: string | undefined;
    /** The number of reserved pages of 2 MiB. */
    reserved: number;
  };
  native: NativeReport & {
    loaded: boolean;
    /** The reason, if it cannot be loaded. */
    error: string | undefined;
    /** Whether native code reads and writes the memory of a SharedArrayBuffer correctly. */
    sharedMemory: boolean;
  };
  /**
   * The largest growable SharedArrayBuffer that this runtime can reserve, in bytes, rounded down to
   * a power of two.
   */
  maxReservationBytes: number;
  /** Features that are limited on this machine, with the reason. Empty if there are none. */
  fallbacks: string[];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // Not Linux, or a container that hides it.
  }
}

/** `'always [madvise] never'` -> `'madvise'`. */
function chosen(setting: string | undefined): string | undefined {
  return setting === undefined ? undefined : /\[([^\]]+)\]/.exec(setting)?.[1];
}

/**
 * The features of the processor, and the kernels in use. Loads the addon, and throws
 * `ERR_OFFHEAP_NATIVE` if that fails.
 */
export function cpu(): CpuReport {
  const addon = native();
  const processors = cpus();
  return {
    model: processors[0]?.model.trim() ?? 'unknown',
    count: processors.length,
    features: addon.cpuFeatures(),
    kernels: addon.cpuKernel(),
  };
}

/**
 * Tries sizes from 1 TiB, which is more than any structure requests, and halves them. A growable
 * buffer of length 0 reserves address space but no memory, and is released at once.
 */
function maxReservation(): number {
  for (let bytes = 2 ** 40; bytes >= 2 ** 20; bytes /= 2) {
    try {
      new SharedArrayBuffer(0, { maxByteLength: bytes });
      return bytes;
    } catch {
      // Refused: the runtime's limit, or the process's (ulimit -v).
    }
  }
  return 0;
}

function sharedMemoryWorks(): boolean {
  const bytes = new Uint8Array(new SharedArrayBuffer(256, { maxByteLength: 65536 }), 64, 128).fill(3);
  const seen = native().probe(bytes);
  return seen.sum === 384 && seen.byteLength === 128 && seen.alignment >= 64;
}

/**
 * A report on this machine: processor, NUMA, huge pages, how the addon was loaded, and fallbacks.
 * Never throws. Takes a few milliseconds, most of them to load the addon.
 */
export function doctor(): DoctorReport {
  const fallbacks: string[] = [];
  let processor: CpuReport | undefined;
  let error: string | undefined;
  let sharedMemory = false;
  let nodes: NumaNode[] = [];
  let numaAvailable = false;
  try {
    processor = cpu();
    numaAvailable = numa.available;
    nodes = numa.topology().nodes;
    sharedMemory = sharedMemoryWorks();
  } catch (thrown) {
    error = messageOf(thrown);
  }
  if (processor === undefined) {
    fallbacks.push('no native code: bulk calls, save and open throw ERR_OFFHEAP_NATIVE');
  } else {
    if (!sharedMemory) fallbacks.push('native code does not read shared buffers correctly');
    if (processor.kernels === 'generic') fallbacks.push('no vector instructions: portable kernels');
    else if (processor.kernels === 'sse2') fallbacks.push('no AVX2: 128-bit kernels');
  }

  const hugePages = {
    transparent: chosen(read('/sys/kernel/mm/transparent_hugepage/enabled')),
    shared: chosen(read('/sys/kernel/mm/transparent_hugepage/shmem_enabled')),
    reserved: Number(read('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages') ?? 0),
  };
  if (hugePages.transparent === undefined) {
    fallbacks.push('no transparent huge pages on this system: hugePages has no effect');
  } else if (hugePages.transparent === 'never') {
    fallbacks.push('transparent huge pages are switched off: hugePages has no effect');
  }

  if (processor !== undefined && !numaAvailable) {
    fallbacks.push('no NUMA on this system: one node with all memory');
  } else if (nodes.length === 1) fallbacks.push('one NUMA node: placement options have no effect');

  const maxReservationBytes = maxReservation();
  if (maxReservationBytes < 2 ** 32) {
    const gib = (maxReservationBytes / 2 ** 30).toFixed(2);
    fallbacks.push(`one buffer reserves at most ${gib} GiB: beyond that a region moves when it grows`);
  }

  return {
    version,
    node: versions.node,
    platform: `${platform}-${arch}`,
    cpu: processor,
    memoryBytes: totalmem(),
    numaAvailable,
    numaNodes: nodes,
    hugePages,
    native: { ...nativeReport(), loaded: processor !== undefined, error, sharedMemory },
    maxReservationBytes,
    fallbacks,
  };
}
