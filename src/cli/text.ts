/** The output of the command line: aligned text for people, JSON for programs. */
import type { DoctorReport } from '../doctor.js';

/** `1536` -> `'1.5 KiB'`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 || Number.isInteger(bytes) ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

/** A name and a value in each line. The values are aligned, and so are their further lines. */
export function table(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows
    .map(([name, value]) => `${name.padEnd(width)}${value.replaceAll('\n', `\n${' '.repeat(width)}`)}\n`)
    .join('');
}

/** JSON with bigints as decimal strings, because JSON has no bigints. */
export function plainJson(value: unknown): string {
  const replacer = (_key: string, field: unknown): unknown =>
    typeof field === 'bigint' ? field.toString() : field;
  return `${JSON.stringify(value, replacer, 2)}\n`;
}

/**
 * A plain object as a table. Nested objects are indented under their name, and numbers of bytes,
 * recognized by their name, are also shown in a larger unit.
 */
export function objectText(value: object): string {
  const rows: [string, string][] = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]: [string, unknown]) => [name, fieldText(name, field)]);
  return rows.length === 0 ? '' : table(rows);
}

function fieldText(name: string, field: unknown): string {
  if (Array.isArray(field)) return field.map((item) => fieldText('', item)).join('\n');
  if (typeof field === 'object' && field !== null) return objectText(field).trimEnd();
  if (typeof field === 'number' && /bytes/i.test(name) && field >= 1024) {
    return `${field} (${bytesText(field)})`;
  }
  return String(field);
}

/** `[0, 1, 2, 5]` -> `'0-2,5'`. */
export function rangesText(numbers: readonly number[]): string {
  if (numbers.length === 0) return 'none';
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** The doctor's report as text. */
export function doctorText(report: DoctorReport): string {
  const { cpu, native, hugePages, numaNodes } = report;
  const nodes = numaNodes.map(({ id, cpus, memoryBytes, freeBytes, distances }) => {
    const far = distances.length > 1 ? `, distances ${distances.join(' ')}` : '';
    return `node ${id}: CPUs ${rangesText(cpus)}, ${bytesText(memoryBytes)}, ${bytesText(freeBytes)} free${far}`;
  });
  const addon = native.loaded
    ? `loaded from ${{ prebuild: 'the package', build: 'a local build', environment: 'OFFHEAP_BINARY' }[native.source ?? 'build']}\n${native.path}`
    : `NOT LOADED\n${native.error}`;
  const huge = hugePages.transparent ?? 'unknown';
  return table([
    ['offheap', `${report.version} on Node ${report.node}, ${report.platform}`],
    ['addon', addon],
    ['processor', cpu === undefined ? 'unknown without the addon' : `${cpu.model}, ${cpu.count} logical`],
    ['features', cpu === undefined ? '' : cpu.features.join(' ')],
    ['kernels', cpu?.kernels ?? ''],
    ['memory', bytesText(report.memoryBytes)],
    ['NUMA', nodes.length === 0 ? 'unknown' : nodes.join('\n')],
    ['huge pages', `transparent: ${huge}, shared memory: ${hugePages.shared ?? 'unknown'}`],
    ['reservation', `up to ${bytesText(report.maxReservationBytes)} for one region`],
    ['shared memory', native.sharedMemory ? 'native code and JavaScript see the same bytes' : 'not tested'],
    ['fallbacks', report.fallbacks.length === 0 ? 'none' : report.fallbacks.join('\n')],
  ]);
}
