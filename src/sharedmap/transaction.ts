/**
 * Transactions: changes of several keys, all of them or none.
 *
 * A transaction reads entries with their versions, and collects its changes. The commit is one
 * native call, which compares the versions under the locks of all shards concerned. If one differs,
 * the function is called again.
 */
import { offheapError, typeError } from '../errors.js';
import { WIDTHS } from '../region/element.js';
import { integerOption, readOptions } from '../region/options.js';
import { calls } from './diagnostics.js';
import { BLOB } from './keys.js';
import { DOUBLES, PAYLOAD, WORDS } from './message.js';
import { resultOf } from './read.js';
import type { Room } from './room.js';
import { EXPIRY, readExpiry, type ExpiryOptions } from './schema.js';
import type { SharedMapTable } from './table.js';
import { putRaw, rawOf, typeOf } from './values.js';

/** What the function of {@link SharedMap.transaction} uses. */
export interface Transaction<K, V> {
  /** The value of a key, as this transaction has changed it. */
  get(key: K): V | undefined;
  /** Whether a key is present, as this transaction has changed it. */
  has(key: K): boolean;
  /** Sets a key when the transaction is committed. */
  set(key: K, value: V, options?: ExpiryOptions): this;
  /** Deletes a key when the transaction is committed. Returns whether it was present. */
  delete(key: K): boolean;
}

/** Options of {@link SharedMap.transaction}. */
export interface TransactionOptions {
  /** How often the function is called again after a conflict. Default: 100. */
  retries?: number;
}

/** The most keys that a transaction changes. */
const MOST_CHANGES = 64;
const DELETION = 0xffffffff;
const READ = 0xfffffffe;
const HEADER = 32;

interface ReadRecord {
  readonly key: Uint8Array;
  readonly version: number;
  readonly value: unknown;
}

interface ChangeRecord {
  readonly key: Uint8Array;
  readonly hash: number;
  /** The bytes of the value; `undefined` for a deletion. */
  readonly bytes: Uint8Array | undefined;
  readonly value: unknown;
  readonly type: number;
  readonly expiresAt: number;
}

class Attempt implements Transaction<unknown, unknown> {
  readonly reads = new Map<string, ReadRecord>();
  readonly changes = new Map<string, ChangeRecord>();
  isOpen = true;

  constructor(private readonly table: SharedMapTable) {}

  get(key: unknown): unknown {
    return this.look(key).value;
  }

  has(key: unknown): boolean {
    return this.look(key).isPresent;
  }

  set(key: unknown, value: unknown, options?: ExpiryOptions): this {
    this.check();
    const { table } = this;
    const expiresAt = readExpiry(options);
    const type = typeOf(table, value);
    const raw = rawOf(type, value);
    const at = table.prepare(key);
    const { hash } = table;
    const id = this.id();
    putRaw(table, type, raw, at);
    const { words, bytes } = table.message;
    const length = table.valueWords === 0 ? words[WORDS.valueHead] >>> 2 : WIDTHS[table.valueType];
    this.change(id, {
      key: this.keyBytes(),
      bytes: new Uint8Array(bytes.subarray(at, at + length)),
      value,
      type: words[WORDS.valueType],
      expiresAt,
      hash,
    });
    table.message.trim();
    return this;
  }

  delete(key: unknown): boolean {
    const { isPresent } = this.look(key);
    const { table } = this;
    table.prepare(key);
    const { hash } = table;
    const none = { bytes: undefined, value: undefined, type: 0, expiresAt: NaN };

    this.change(this.id(), { key: this.keyBytes(), hash, ...none });
    return isPresent;
  }

  private change(id: string, record: ChangeRecord): void {
    this.changes.set(id, record);
    if (this.changes.size > MOST_CHANGES) {
      throw offheapError('ERR_OFFHEAP_RANGE', `a transaction changes at most ${MOST_CHANGES} keys`);
    }
  }

  private check(): void {
    if (!this.isOpen) throw typeError('the transaction has ended');
  }

  /** The state of a key in this transaction; it is read at most once from the map. */
  private look(key: unknown): { isPresent: boolean; value: unknown } {
    this.check();
    const { table } = this;
    table.prepare(key);
    const id = this.id();
    const changed = this.changes.get(id);
    if (changed !== undefined) return { isPresent: changed.bytes !== undefined, value: changed.value };
    let record = this.reads.get(id);
    if (record === undefined) {
      const bytes = this.keyBytes();
      const found = table.call(() => calls().sharedmapGet(table.id, true)) !== 0;
      const version = found ? table.message.doubles[DOUBLES.resultVersion] : 0;
      record = { key: bytes, version, value: found ? resultOf(table) : undefined };
      this.reads.set(id, record);
    }
    return { isPresent: record.version !== 0, value: record.value };
  }

  /** The bytes of the key in the message. */
  private keyBytes(): Uint8Array {
    const { table } = this;
    const { words, bytes } = table.message;
    const length = table.keyClass === BLOB ? words[WORDS.keyHead] >>> 2 : WIDTHS[table.keyType];
    return new Uint8Array(bytes.subarray(PAYLOAD, PAYLOAD + length));
  }

  /** Names the key in the message. */
  private id(): string {
    return Buffer.from(this.keyBytes()).toString('latin1');
  }

  /** The room that the changes need. */
  private room(): Room {
    const { reads, changes } = this;
    const stored = [...changes.values()].filter(({ bytes }) => bytes !== undefined);
    let [keyBytes, valueBytes] = [0, 0];
    for (const { key, bytes } of stored) {
      keyBytes += key.length;
      valueBytes += bytes!.length;
    }
    return {
      hash: stored[0]?.hash ?? 0,
      keyBytes,
      valueBytes,
      isKept: (id) => reads.has(id) || changes.has(id),
    };
  }

  /** Makes the changes. False after a conflict. */
  commit(): boolean {
    this.isOpen = false;
    const { table, reads, changes } = this;
    if (reads.size === 0 && changes.size === 0) return true;
    const { message } = table;
    table.checkOpen();
    const padded = (bytes: Uint8Array | undefined): number => ((bytes?.length ?? 0) + 7) & ~7;
    let length = PAYLOAD;
    for (const { key } of reads.values()) length += HEADER + padded(key);
    for (const { key, bytes } of changes.values()) length += HEADER + padded(key) + padded(bytes);
    message.ensure(length);
    const { words, doubles, bytes: target } = message;
    let at = PAYLOAD;
    const put = (bytes: Uint8Array): void => {
      target.set(bytes, at);
      at += padded(bytes);
    };
    const putHeader = (key: Uint8Array, value: number, type: number, expiry: number): void => {
      words.set([key.length, value | 0, type, expiry], at >> 2);
    };
    for (const { key, version } of reads.values()) {
      putHeader(key, READ, 0, 0);
      doubles[(at >> 3) + 2] = version;
      doubles[(at >> 3) + 3] = 0;
      at += HEADER;
      put(key);
    }
    for (const { key, bytes, type, expiresAt } of changes.values()) {
      const isDefault = expiresAt !== expiresAt;
      const expiry = isDefault ? EXPIRY.default : expiresAt === Infinity ? EXPIRY.never : EXPIRY.at;
      putHeader(key, bytes === undefined ? DELETION : bytes.length, type, expiry);
      doubles[(at >> 3) + 2] = 0;
      doubles[(at >> 3) + 3] = expiry === EXPIRY.at ? expiresAt : 0;
      at += HEADER;
      put(key);
      if (bytes !== undefined) put(bytes);
    }
    const call = (): boolean => calls().sharedmapCommit(table.id, reads.size + changes.size);
    const done = table.chooser === undefined ? call() : table.chooser.change(this.room(), call);
    message.trim();
    return done;
  }
}

/** Runs a transaction; see {@link SharedMap.transaction}. */
export function transact<T>(
  table: SharedMapTable,
  run: (transaction: Transaction<never, never>) => T,
  options: unknown,
): T {
  const read = readOptions(options, ['retries'], 'transaction');
  const retries = integerOption(read, 'retries', 0, Number.MAX_SAFE_INTEGER, 100);
  for (let attempt = 0; attempt <= retries; attempt++) {
    const transaction = new Attempt(table);
    let result: T;
    try {
      result = run(transaction as unknown as Transaction<never, never>);
    } catch (error) {
      transaction.isOpen = false;
      throw error;
    }
    if (typeof (result as { then?: unknown } | undefined)?.then === 'function') {
      transaction.isOpen = false;
      throw typeError('the function of a transaction must not be asynchronous');
    }
    if (transaction.commit()) return result;
  }
  const times = retries + 1;
  throw offheapError('ERR_OFFHEAP_CONFLICT', `others changed the keys of a transaction ${times} times`);
}
