/**
 * All functions of the addon.
 * Generated from the files of this folder by `npm run generate`. Do not edit.
 */
import type * as bitvector from './bitvector.js';
import type * as bloomfilter from './bloomfilter.js';
import type * as bumparena from './bumparena.js';
import type * as compressor from './compressor.js';
import type * as cpu from './cpu.js';
import type * as dictionary from './dictionary.js';
import type * as eliasfano from './eliasfano.js';
import type * as fixedpool from './fixedpool.js';
import type * as hashmap from './hashmap.js';
import type * as lockfreepool from './lockfreepool.js';
import type * as mappedfile from './mappedfile.js';
import type * as mmapvector from './mmapvector.js';
import type * as module from './module.js';
import type * as numa from './numa.js';
import type * as numapool from './numapool.js';
import type * as packedints from './packedints.js';
import type * as probe from './probe.js';
import type * as rankselect from './rankselect.js';
import type * as recordstore from './recordstore.js';
import type * as region from './region.js';
import type * as rollinghash from './rollinghash.js';
import type * as sharedmapFile from './sharedmap-file.js';
import type * as sharedmapSnapshot from './sharedmap-snapshot.js';
import type * as sharedmap from './sharedmap.js';
import type * as smallmapArena from './smallmap-arena.js';
import type * as suffixarray from './suffixarray.js';
import type * as vector from './vector.js';

export interface NativeBinding
  extends
    bitvector.Binding,
    bloomfilter.Binding,
    bumparena.Binding,
    compressor.Binding,
    cpu.Binding,
    dictionary.Binding,
    eliasfano.Binding,
    fixedpool.Binding,
    hashmap.Binding,
    lockfreepool.Binding,
    mappedfile.Binding,
    mmapvector.Binding,
    module.Binding,
    numa.Binding,
    numapool.Binding,
    packedints.Binding,
    probe.Binding,
    rankselect.Binding,
    recordstore.Binding,
    region.Binding,
    rollinghash.Binding,
    sharedmapFile.Binding,
    sharedmapSnapshot.Binding,
    sharedmap.Binding,
    smallmapArena.Binding,
    suffixarray.Binding,
    vector.Binding {}
