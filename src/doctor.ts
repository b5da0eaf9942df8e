/**
 * What this machine offers, and what falls back where it does not.
 *
 * `doctor()` never throws: a machine on which nothing works is the one that it is for. It looks at
 * the processor, NUMA nodes and huge pages (Linux, /sys), how the addon was loaded, how much
 * address space one shared buffer may reserve (regions grow inside such reservations), and collects
 * in `fallbacks` what works in a lesser way here and why.
 */
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { arch, platform, versions } from 'node:process';
import { native, nativeReport, type NativeReport } from './native.js';
import { numa, type NumaNode } from './region/numa.js';
import { version } from './version.js';

/** What the processor can do, and which kernels were chosen for it. */
export interface CpuReport {
  /** The processor's name, as the operating system tells it. */
  model: string;
  /** Logical processors. */
  count: number;
  /** Features found, by the names people know them by (`'avx2'`, `'neon'`, ...). */
  features: string[];
  /** The set of vector kernels in use: `'avx512'`, `'avx2'`, `'sse2'`, `'neon'` or `'generic'`. */
  kernels: string;
}

/** What {@link doctor} found. Plain data: it prints as JSON. */
export interface DoctorReport {
  version: string;
  node: string;
  platform: string;
  /** `undefined` where the addon does not load. */
  cpu: CpuReport | undefined;
  memoryBytes: number;
  /** Whether the system tells about NUMA nodes, and lets this process place memory. */
  numaAvailable: boolean;
  /** One node with everything where there is no NUMA; empty where the addon does not load. */
  numaNodes: NumaNode[];
  hugePages: {
    /** `'always'`, `'madvise'` or `'never'`; `undefined` where there is no such setting. */
    transparent: string | undefined;
    /** The same for shared memory. */
    shared: string | undefined;
    /** Pages of 2 MiB that are set aside. */
    reserved: number;
  };
  native: NativeReport & {
    loaded: boolean;
    /** Why it does not load. */
    error: string | undefined;
    /** Whether native code reads and writes the memory of a SharedArrayBuffer correctly. */
    sharedMemory: boolean;
  };
  /**
   * The largest growable SharedArrayBuffer that this runtime reserves, to the power of two, in
   * bytes.
   */
  maxReservationBytes: number;
  /** What works in a lesser way on this machine, and why. Empty is good. */
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
 * What the processor can do, and the kernels in use. Loads the addon; `ERR_OFFHEAP_NATIVE` where it
 * can not.
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
 * Reserves nothing for long: a growable buffer of length 0 claims address space and no memory, and
 * is let go at once. Starts at 1 TiB, which no structure here asks for, and halves.
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
 * What this machine offers: processor, NUMA, huge pages, how the addon was loaded, and what falls
 * back. Never throws. Takes a few milliseconds, most of them for loading the addon.
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
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  if (processor === undefined) {
    fallbacks.push('no native code: bulk calls, save and open throw ERR_OFFHEAP_NATIVE');
  } else {
    if (!sharedMemory) fallbacks.push('native code does not see shared buffers correctly');
    if (processor.kernels === 'generic') fallbacks.push('no vector instructions: portable kernels');
    else if (processor.kernels === 'sse2') fallbacks.push('no AVX2: 128-bit kernels');
  }

  const hugePages = {
    transparent: chosen(read('/sys/kernel/mm/transparent_hugepage/enabled')),
    shared: chosen(read('/sys/kernel/mm/transparent_hugepage/shmem_enabled')),
    reserved: Number(read('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages') ?? 0),
  };
  if (hugePages.transparent === undefined) {
    fallbacks.push('no transparent huge pages on this system: hugePages is advice that nothing takes');
  } else if (hugePages.transparent === 'never') {
    fallbacks.push('transparent huge pages are switched off: hugePages is advice that nothing takes');
  }

  if (processor !== undefined && !numaAvailable) {
    fallbacks.push('no NUMA on this system: one node, with everything');
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
