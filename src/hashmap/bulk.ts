/**
 * Bulk operations of a HashMap. Where keys and values are plain numbers the whole call is one
 * crossing into Rust, which prefetches; otherwise it is a loop over the single operations, which is
 * what blobs need anyway, since strings are encoded on this side.
 *
 * A bulk call that finds a key or value of a wrong type changes nothing: all are checked first.
 */
import { rangeError } from '../errors.js';
import { native } from '../native.js';
import { corrupt } from '../region/format.js';
import { column, handleList, hasColumn, output, toArray } from '../region/arguments.js';
import { isNumeric, TYPE } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { OWNER } from '../region/table.js';
import { Access } from './access.js';
import { jsonText } from '../region/blob.js';

export abstract class BulkAccess extends Access {
  /** Keys as a typed array where the map's are numbers, else as an array, all of the right type. */
  private keyList(keys: unknown): AnyTypedArray | unknown[] {
    return column(keys, this.keyType, 'keys', (key) => this.checkKey(key), this.region.buffer);
  }

  /** Whether one crossing can do it: keys and values are columns of numbers. */
  private get plain(): boolean {
    return isNumeric(this.keyType) && hasColumn(this.valueType);
  }

  /**
   * Fills `out` with the values of `keys`; `found` gets 1 for each key that is there. Returns what
   * it filled.
   */
  protected readMany(keys: unknown, out: unknown, found: Uint8Array | undefined): unknown {
    const list = this.keyList(keys);
    const count = list.length;
    const { native: column, list: sink, result } = output(out, count, this.valueType);
    if (found !== undefined && found.length < count)
      throw rangeError(`found holds ${found.length} of ${count} results`);
    if (this.plain && column !== undefined && !Array.isArray(list)) {
      this.gather(column, found, count, (values, flags) =>
        native().hashmapGetMany(this.region.bytes, list, values, flags),
      );
      return result;
    }
    const target = (sink ?? column) as unknown[];
    for (let i = 0; i < count; i++) {
      const key: unknown = list[i];
      const value = this.read(() => {
        const position = this.find(key);
        return position < 0 || position >= this.usedNow() ? MISSING : this.valueAt(position);
      });
      if (found !== undefined) found[i] = value === MISSING ? 0 : 1;
      if (value !== MISSING) target[i] = value;
    }
    return result;
  }

  /** The same for handles. */
  protected readManyByHandle(handles: unknown, out: unknown): unknown {
    this.beforeRead();
    const list = handleList(handles);
    const { native: column, list: sink, result } = output(out, list.length, this.valueType);
    if (hasColumn(this.valueType) && column !== undefined) {
      this.gather(column, undefined, list.length, (values, flags) =>
        native().hashmapGetManyByHandle(this.region.bytes, list, values, flags),
      );
      return result;
    }
    const target = (sink ?? column) as unknown[];
    for (let i = 0; i < list.length; i++) {
      const value = this.read(() => {
        const position = this.positionOf(list[i]);
        return position < 0 ? MISSING : this.valueAt(position);
      });
      if (value !== MISSING) target[i] = value;
    }
    return result;
  }

  /**
   * A native gather. A reader of another thread's region gathers into a copy, and takes over only
   * what was found in a pass that no rearrangement disturbed, so that `out` keeps what it held
   * where a key is missing.
   */
  private gather(
    out: AnyTypedArray,
    found: Uint8Array | undefined,
    count: number,
    call: (values: AnyTypedArray, found: Uint8Array | undefined) => void,
  ): void {
    if (this.role === OWNER || this.region.origin === 'file') {
      this.read(() => call(out, found));
      return;
    }
    const values = out.slice(0, count) as AnyTypedArray;
    const flags = new Uint8Array(count);
    this.read(() => call(values, flags));
    for (let i = 0; i < count; i++) if (flags[i] !== 0) (out as unknown as unknown[])[i] = values[i];
    found?.set(flags);
  }

  protected hasEach(keys: unknown): Uint8Array {
    const list = this.keyList(keys);
    const found = new Uint8Array(list.length);
    if (isNumeric(this.keyType) && !Array.isArray(list)) {
      this.read(() => native().hashmapHasMany(this.region.bytes, list, found));
      return found;
    }
    for (let i = 0; i < list.length; i++) {
      const key: unknown = list[i];
      found[i] = this.read(() => {
        const position = this.find(key);
        return position < 0 || position >= this.usedNow() ? 0 : 1;
      });
    }
    return found;
  }

  protected writeMany(keys: unknown, values: unknown): void {
    const { valueType } = this;
    const keyList = this.keyList(keys);
    const count = keyList.length;
    const texts: string[] | undefined = valueType === TYPE.json ? [] : undefined;
    if (texts !== undefined) toArray(values, 'values', (value) => texts.push(jsonText(value)), count);
    const valueList =
      texts ??
      column(values, valueType, 'values', (value) => this.checkValue(value), this.region.buffer, count);
    if (valueList.length !== count) {
      throw rangeError(`${count} keys with ${valueList.length} values`);
    }
    // The lists are ours or plain numbers by now: no user code runs from here on.
    this.beforeWrite();
    if (this.plain && !Array.isArray(keyList) && !Array.isArray(valueList)) {
      for (let done = 0, made = 0; ;) {
        const next = native().hashmapSetMany(this.region.bytes, keyList, valueList, done);
        if (next >= count) return;
        if (next === done && made++ === 2) throw this.staysFull();
        if (next !== done) made = 0;
        done = next;
        // All that are left may be new; asking for that at once would waste memory where they are
        // not.
        this.makeRoom(1, 0);
      }
    }
    for (let i = 0; i < count; i++) {
      if (texts !== undefined) this.putJson(keyList[i], texts[i]);
      else this.put(keyList[i], valueType === TYPE.bool ? valueList[i] !== 0 : valueList[i]);
    }
  }

  protected deleteEach(keys: unknown): number {
    const list = this.keyList(keys);
    this.beforeWrite();
    if (isNumeric(this.keyType) && this.anyValues === undefined && !Array.isArray(list)) {
      return native().hashmapDeleteMany(this.region.bytes, list);
    }
    let deleted = 0;
    for (let i = 0; i < list.length; i++) {
      const position = this.find(list[i]);
      if (position < 0) continue;
      this.remove(position);
      deleted++;
    }
    return deleted;
  }

  /** Handles of keys; −1 for those that are missing. */
  protected handlesOfEach(keys: unknown): Float64Array {
    const list = this.keyList(keys);
    const out = new Float64Array(list.length);
    if (isNumeric(this.keyType) && !Array.isArray(list) && this.role === OWNER) {
      native().hashmapHandlesOf(this.region.bytes, list, out);
      return out;
    }
    for (let i = 0; i < list.length; i++) out[i] = this.handleFor(list[i]) ?? -1;
    return out;
  }

  protected handleFor(key: unknown): number | undefined {
    return this.read(() => {
      // Before the lookup: a rearrangement after it must know that handles exist.
      this.noteHandle();
      const position = this.find(key);
      if (position < 0 || position >= this.usedNow()) return undefined;
      const handle = this.handleAt(position);
      // Deleted meanwhile, its slot may be another entry's already.
      return this.isDead(position) ? undefined : handle;
    });
  }

  /** Inserts or replaces. The value is readied first, for that may run user code. */
  protected put(key: unknown, value: unknown): void {
    this.encodeValue(value);
    this.beforeWrite();
    this.putEncoded(key, value);
  }

  private putJson(key: unknown, text: string): void {
    this.encodeText(text);
    this.putEncoded(key, text);
  }

  private putEncoded(key: unknown, value: unknown): void {
    const position = this.find(key);
    if (position < 0) {
      const blobs = this.blobBytes(true);
      for (let made = 0; this.isFull(blobs); made++) {
        if (made === 2) throw this.staysFull();
        this.makeRoom(1, blobs);
      }
      this.append(key, value);
    } else {
      this.replace(position, key, value);
    }
  }

  /** Gives the entry at `position` the value that was readied. */
  protected replace(position: number, key: unknown, value: unknown): void {
    const blobs = this.blobBytes(false);
    if (blobs !== 0 && this.heapIsFull(blobs)) {
      this.makeRoom(0, blobs);
      position = this.find(key); // positions may have changed
    }
    this.replaceValue(position, value);
  }

  private staysFull(): Error {
    return corrupt('this map', 'it has no room, however large it is made');
  }
}

const MISSING = Symbol('missing');
