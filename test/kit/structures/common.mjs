/** Operations that every structure that can be saved has. */

/** @param {(structure: any) => unknown} contents */
export function commonOperations(contents) {
  return {
    byteLength: { run: (s) => s.byteLength > 255, result: true },
    stats: { run: (s) => typeof s.stats(), result: 'object' },
    validate: { run: (s) => s.validate() },
    share: { run: (s) => typeof s.share(), result: 'object' },
    toBytes: { run: (s) => contents(s.constructor.fromBytes(s.toBytes())) },
  };
}
