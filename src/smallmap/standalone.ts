/** Standalone maps, `new SmallMap(schema)`: the arenas that contain them, and their release. */
import { TYPE } from '../region/element.js';
import { choiceOption, readOptions, type Options } from '../region/options.js';
import { newArena, type Arena } from './arena.js';
import { createMap, releaseMap } from './maps.js';
import { SMALL_KEY_TYPES, SMALL_VALUE_TYPES } from './schema.js';

const OPTIONS = ['key', 'value'] as const;

/**
 * The arenas in which `new SmallMap` creates maps: one per schema, kept for the life of the
 * process.
 */
const defaultArenas = new Map<unknown, Map<unknown, Arena>>();
/** A map of an arena, for the constructor of its object. */
export class MapReference {
  constructor(
    readonly arena: Arena,
    public id: number,
  ) {}
}
/**
 * A standalone map, for its finalizer. The id is −1 once the map has been closed, which costs less
 * than the tokens of a registry.
 */
export class OwnedMap extends MapReference {}
/** Releases the maps of objects that have been garbage-collected. */
export const finalizers = new FinalizationRegistry<OwnedMap>(({ arena, id }) => {
  if (id >= 0) releaseMap(arena, id);
});

function defaultArena(options: unknown): Arena {
  const read = readOptions(options, OPTIONS, 'SmallMap');
  const arena = defaultArenas.get(read['key'])?.get(read['value']);
  return arena ?? newDefaultArena(read);
}

/** Creates an empty standalone map with the schema that the options of `new SmallMap` contain. */
export function createOwned(options: unknown): OwnedMap {
  const arena = defaultArena(options);
  return new OwnedMap(arena, createMap(arena));
}

function newDefaultArena(options: Options): Arena {
  const key = choiceOption(options, 'key', SMALL_KEY_TYPES);
  const value = choiceOption(options, 'value', SMALL_VALUE_TYPES);
  const arena = newArena(TYPE[key], TYPE[value]);
  const arenas = defaultArenas.get(key) ?? new Map<unknown, Arena>();
  defaultArenas.set(key, arenas.set(value, arena));
  return arena;
}
