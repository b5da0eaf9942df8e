/**
 * An arena without its public interface: creation from options, and copies. SmallMapArena and
 * SmallMap are both built on it.
 */
import { PLACEMENT_OPTIONS, placementOptions } from '../region/face.js';
import { TYPE } from '../region/element.js';
import { seedOption } from '../region/map-like.js';
import { choiceOption, integerOption, readOptions } from '../region/options.js';
import { NO_PLACEMENT, Region, type Placement } from '../region/region.js';
import { ArenaTable } from './arena-table.js';
import { put } from './entries.js';
import { contentsOf } from './iteration.js';
import { initialize, layoutOf, MAX_MAPS, newShape, TWO_32 } from './layout.js';
import { createMap, mapIds } from './maps.js';
import { SMALL_KEY_TYPES, SMALL_VALUE_TYPES } from './schema.js';
import { renumber, retire } from './slots.js';

const OPTIONS = ['key', 'value', 'capacity', ...PLACEMENT_OPTIONS, 'seed'] as const;
const DEFAULT_CAPACITY = 16;

export class Arena extends ArenaTable {
  /**
   * An owner's bytes are copied unchanged. Another thread's arena is copied map by map, each as it
   * was at one moment, because its owner may be changing it.
   */
  override copyRegion(): Uint8Array {
    if (this.region.origin !== 'attached') return super.copyRegion();
    const copy = newArena(this.keyType, this.valueType);
    try {
      const free: { map: number; generation: number }[] = [];
      const used = (): number => this.readStable(() => this.entriesUsed());
      for (let map = 0; map < used(); map++) {
        const { generation, entries } = this.readStable(() => contentsOf(this, map));
        const id = createMap(copy);
        if (entries === undefined) free.push({ map, generation });
        else renumber(copy, map, generation);
        const name = entries === undefined ? id : generation * TWO_32 + map;
        for (const [k, v] of entries ?? []) put(copy, name, k, v);
      }
      for (const { map, generation } of free.reverse()) retire(copy, map, generation);
      return copy.copyRegion();
    } finally {
      copy.close();
    }
  }

  /** The schema, and the entries of each map by its id. */
  override contents(): unknown {
    const maps = new Map<number, Map<unknown, unknown>>();
    for (const id of mapIds(this)) {
      const map = id % TWO_32;
      maps.set(id, new Map(this.readStable(() => contentsOf(this, map).entries)));
    }
    return [this.keyType, this.valueType, maps];
  }
}

/** An empty arena. */
export function newArena(
  key: number,
  value: number,
  capacity = DEFAULT_CAPACITY,
  placement: Placement = NO_PLACEMENT,
  seed = seedOption({}),
): Arena {
  const shape = newShape(key, value, capacity);
  const { length } = layoutOf(shape);
  const region = Region.allocate(length, placement);
  initialize(region.head, shape, length, seed);
  const arena = new Arena(region);
  arena.becomeOwner('the new arena');
  return arena;
}

/** An empty arena as the options of `new SmallMapArena` describe it. */
export function arenaFromOptions(options: unknown): Arena {
  const read = readOptions(options, OPTIONS, 'SmallMapArena');
  const key = TYPE[choiceOption(read, 'key', SMALL_KEY_TYPES)];
  const value = TYPE[choiceOption(read, 'value', SMALL_VALUE_TYPES)];
  const capacity = integerOption(read, 'capacity', 1, MAX_MAPS, DEFAULT_CAPACITY);
  return newArena(key, value, capacity, placementOptions(read), seedOption(read));
}
