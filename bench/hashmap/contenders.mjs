/**
 * The contenders. A contender creates an empty map for a schema, and releases one. A peer that is
 * not installed (megahash compiles native code) is left out, with the reason.
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {(schema: { key: string, value: string }) => any} make
 * @property {(map: any) => void} release
 * @property {number} most the largest number of entries; more would take the peers minutes
 */

/** @type {Record<string, () => Promise<Contender>>} */
const all = {
  HashMap: async () => {
    const { HashMap } = await import('../../dist/hashmap/index.js');
    return {
      name: 'HashMap',
      make: (schema) => new HashMap(/** @type {any} */ (schema)),
      release: (map) => map.close(),
      most: Infinity,
    };
  },
  Map: async () => ({ name: 'Map', make: () => new Map(), release: () => {}, most: 2 ** 24 }),
  BigMap: async () => {
    const { BigMap } = await import('@keyv/bigmap');
    return { name: 'BigMap', make: () => new BigMap(), release: (map) => map.clear(), most: 1e6 };
  },
  MegaHash: async () => {
    const { default: MegaHash } = await import('megahash');
    return { name: 'MegaHash', make: () => new MegaHash(), release: (map) => map.clear(), most: 1e6 };
  },
};

export const packages = { BigMap: '@keyv/bigmap', MegaHash: 'megahash' };

/**
 * @param {string[]} names
 * @returns {Promise<{ contenders: Contender[], absent: { name: string, reason: string }[] }>}
 */
export async function contenders(names = Object.keys(all)) {
  const absent = [];
  const present = [];
  for (const name of names) {
    try {
      present.push(await all[name]());
    } catch (error) {
      if (!(name in packages)) throw error;
      const [reason] = String(/** @type {Error} */ (error).message).split('\n');
      absent.push({ name, reason });
    }
  }
  return { contenders: present, absent };
}
