/**
 * A structure whose public class is its own table, by inheritance. Replaced by `Structure` class by
 * class; see `table.ts`.
 */
import type { SaveOptions } from './file.js';
import type { Kind } from './format.js';
import type { Region } from './region.js';
import { RegionTable, type RegionSource, type Role, type State } from './table.js';
import type { Token } from './token.js';

/** Structured cloning refuses functions, and shows their text in its error. */
const uncloneable = (): string => 'post the token that share() gives, not the structure';

abstract class TableStructure<K extends Kind> extends RegionTable<K> {
  readonly uncloneable = uncloneable;

  toJSON(): object {
    return {};
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The same class, as a type whose inner members are protected. */
declare abstract class Declared<K extends Kind> {
  protected role: Role;
  protected region: Region;
  protected hasReaders: boolean;
  protected exclusive: boolean;
  protected readonly uncloneable: () => string;
  protected constructor(region: Region);
  protected abstract get kind(): K;
  protected abstract get label(): string;
  protected abstract bindViews(what: string, direct: boolean): void;
  protected abstract dropViews(): void;
  protected abstract check(region: Region, length: number, what: string): void;
  protected get aligned(): boolean;
  protected onCopiedToMemory?(region: Region): void;
  protected checkPortable(): void;
  protected becomeOwner(what: string): void;
  protected becomeReader(what: string): void;
  protected initialize(source: RegionSource): void;
  protected beforeRead(): void;
  protected read<T>(operation: () => T): T;
  protected readIsValid(): boolean;
  protected loadAfterReads(words: Int32Array, at: number): number;
  protected beforeWrite(): void;
  protected rebindViews(): void;
  protected snapshot(checksum: boolean): Uint8Array;
  protected copyRegion(): Uint8Array;
  protected describeState(): State;
  protected releaseRegion(): void;
  protected closedError(): Error;
  share(): Token<K>;
  save(path: string, options?: SaveOptions): Promise<void>;
  toBytes(): Uint8Array;
  get byteLength(): number;
  toJSON(): object;
  close(): void;
  [Symbol.dispose](): void;
}

export const LegacyStructure = TableStructure as unknown as typeof Declared;
export type LegacyStructure<K extends Kind = Kind> = Declared<K>;
