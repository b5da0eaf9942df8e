/**
 * Metrics of a SharedMap, in the forms that monitoring systems read: measurements with the names
 * and units of OpenTelemetry's conventions, and Prometheus' text format.
 */
import { rangeError, typeError } from '../errors.js';
import { describe, readOptions } from '../region/options.js';
import type { SharedMapStats } from './stats.js';

/** One metric. */
export interface Measurement {
  /** Words with underscores, without a prefix. */
  name: string;
  /** A counter only increases; a gauge goes up and down. */
  kind: 'counter' | 'gauge';
  /** In UCUM, as OpenTelemetry has it: `By` for bytes, `{entry}` for entries. */
  unit: string;
  description: string;
  value: number;
}

type Row = readonly [
  member: keyof SharedMapStats,
  name: string,
  kind: Measurement['kind'],
  unit: string,
  description: string,
];

const ROWS: readonly Row[] = [
  ['entries', 'entries', 'gauge', '{entry}', 'Entries in the map.'],
  ['expiring', 'expiring_entries', 'gauge', '{entry}', 'Entries that have a time of expiry.'],
  ['maxBytes', 'max_bytes', 'gauge', 'By', 'The bound of the map.'],
  ['usedBytes', 'used_bytes', 'gauge', 'By', 'Bytes in use, all overhead included.'],
  ['contentBytes', 'content_bytes', 'gauge', 'By', 'Bytes of keys and values.'],
  ['freeBytes', 'free_bytes', 'gauge', 'By', 'Bytes of free blocks in pages that are in use.'],
  ['indexBytes', 'index_bytes', 'gauge', 'By', 'Bytes of the index.'],
  ['participants', 'participants', 'gauge', '{participant}', 'Threads that have attached the map.'],
  ['hits', 'hits', 'counter', '{read}', 'Reads that found a value, by current participants.'],
  ['misses', 'misses', 'counter', '{read}', 'Reads that found nothing, by current participants.'],
  ['sets', 'sets', 'counter', '{write}', 'Values stored.'],
  ['deletes', 'deletes', 'counter', '{entry}', 'Entries deleted.'],
  ['evictions', 'evictions', 'counter', '{entry}', 'Entries evicted.'],
  ['expired', 'expirations', 'counter', '{entry}', 'Entries removed because they had expired.'],
  ['lockWaits', 'lock_waits', 'counter', '{wait}', 'Times that a thread waited for a lock.'],
  ['repairs', 'repairs', 'counter', '{repair}', 'Shards repaired after a process had terminated.'],
];

/** The metrics of a map with these figures. */
export function measurementsOf(stats: SharedMapStats): Measurement[] {
  return ROWS.map(([member, name, kind, unit, description]) => ({
    name,
    kind,
    unit,
    description,
    value: stats[member],
  }));
}

/** Options of {@link SharedMap.metrics}. */
export interface MetricsOptions {
  /** Begins each name. Default: `offheap_sharedmap_`. */
  prefix?: string;
  /** Labels of each sample. */
  labels?: Readonly<Record<string, string>>;
}

/** The metrics in Prometheus' text format: names of counters end with `_total`. */
export function prometheusText(stats: SharedMapStats, options: unknown): string {
  const { prefix = 'offheap_sharedmap_', labels = {} } = readOptions(
    options,
    ['prefix', 'labels'],
    'metrics',
  ) as MetricsOptions;
  if (typeof prefix !== 'string') throw typeError(`prefix must be a string, not ${describe(prefix)}`);
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix)) {
    throw rangeError(`prefix must have letters, digits, _ and : only, not ${describe(prefix)}`);
  }
  const suffix = labelText(labels);
  const lines: string[] = [];
  for (const { name, kind, description, value } of measurementsOf(stats)) {
    const full = `${prefix}${name}${kind === 'counter' ? '_total' : ''}`;
    lines.push(`# HELP ${full} ${description}`, `# TYPE ${full} ${kind}`, `${full}${suffix} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function labelText(labels: unknown): string {
  if (typeof labels !== 'object' || labels === null) {
    throw typeError(`labels must be an object, not ${describe(labels)}`);
  }
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
      throw rangeError(`a label has letters, digits and _ only, not ${describe(name)}`);
    }
    if (typeof value !== 'string') throw typeError(`label ${name} must be a string, not ${describe(value)}`);
    const escaped = value.replace(/[\\"\n]/g, (unit) => (unit === '\n' ? '\\n' : `\\${unit}`));
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
