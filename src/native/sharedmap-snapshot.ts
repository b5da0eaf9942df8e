/** The functions of `native/binding/sharedmap_snapshot.cc`. Snapshots of SharedMaps. */
import type { MapOptions } from './sharedmap.js';

export interface Binding {
  /** `oh_sharedmap_save`: False if the control was told to stop. */
  sharedmapSave(bytes: Uint8Array, path: string, control: Int32Array): Promise<boolean>;
  /** `oh_sharedmap_restore` */
  sharedmapRestore(bytes: Uint8Array, path: string): Promise<boolean>;
  /** `oh_sharedmap_snapshot_get_info` */
  sharedmapSnapshotInfo(
    path: string,
  ): Pick<MapOptions, 'maxBytes' | 'ttl' | 'key' | 'value' | 'policy' | 'reject'>;
}
