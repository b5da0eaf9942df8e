/** The measurements of SharedMap: their titles, and the units of their tables. */

/** @type {Record<string, { title: string, unit?: 'ns' | 'ms' }>} */
export const SECTIONS = {
  get: { title: 'get, one thread, every key present', unit: 'ns' },
  text: { title: 'get, strings of 100 bytes', unit: 'ns' },
  set: { title: 'set of a new key in a full map or cache', unit: 'ns' },
  threads: { title: 'two threads, all operations of both divided by the time', unit: 'ns' },
  memory: { title: 'bytes of an entry beyond its key and value of 8 bytes each' },
  worst: { title: 'single calls of set while the map grows, evicts, and is saved' },
  start: { title: 'until the first value is read', unit: 'ms' },
  collection: { title: 'full garbage collection', unit: 'ms' },
};
