/**
 * The functions of `native/binding/sharedmap_file.cc`. The files of SharedMaps, which are opaque
 * objects. They are needed only while a file is opened: the attachments keep it open.
 */
import type { MapOptions } from './sharedmap.js';

/** What opening the file of a map did. */
export interface Opened {
  /** Whether the file was created. */
  readonly created: boolean;
  /** Whether the map was repaired. */
  readonly repaired: boolean;
  /** Entries that a repair kept, and removed. */
  readonly kept: number;
  readonly lost: number;
}

export interface Binding {
  /** `oh_binding_sharedmap_file_open`: `flags` are bits `OH_BINDING_SHAREDMAP_…`. */
  sharedmapFileOpen(path: string, options: MapOptions, flags: number): object;
  /** `oh_binding_sharedmap_file_length`: The number of bytes to map. */
  sharedmapFileLength(file: object): number;
  /** `oh_binding_sharedmap_file_map`: Maps the file from the start of `target` on. */
  sharedmapFileMap(file: object, target: Uint8Array, capacity: number): void;
  /** `oh_binding_sharedmap_file_get_opened` */
  sharedmapFileOpened(file: object): Opened;
  /** `oh_binding_sharedmap_file_close`: The attachments remain. */
  sharedmapFileClose(file: object): void;
  /** The size of a page in bytes. */
  sharedmapFilePage(): number;
}
