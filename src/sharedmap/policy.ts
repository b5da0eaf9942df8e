/**
 * What a hit does to the policy byte of its slot (`docs/formats/sharedmap.md`, "Eviction"). The
 * rule is the same for every policy, with two constants: the bits of the byte that hold the shard's
 * clock, and the least byte that has as many hits as can be counted.
 */

/** Codes of the policies. */
export const POLICY = { auto: 0, s3Fifo: 1, lru: 2, lfu: 3, fifo: 4, gdsf: 5, none: 6 } as const;

/** The policy by which a map evicts, from its schema: none if a full map refuses new entries. */
export function policyOf(schema: number): number {
  return (schema >>> 24) & 1 ? POLICY.none : (schema >>> 16) & 0xff;
}

/** Words of a shard's policy state with `auto`. */
export const AUTO_STATE = {
  /** The first count of hits, by hits × 32 + age. */
  hits: 64,
  /** What a hit adds. */
  event: 8,
} as const;

/** The bits of the policy byte that hold the clock. */
export function clockMaskOf(policy: number): number {
  switch (policy) {
    case POLICY.auto:
      return 31;
    case POLICY.s3Fifo:
      return 63;
    case POLICY.lru:
      return 255;
    default:
      return 0;
  }
}

/** The least policy byte with which no more hits are counted. */
export function mostHitsOf(policy: number): number {
  switch (policy) {
    case POLICY.auto:
      return 0xe0;
    case POLICY.s3Fifo:
      return 0xc0;
    case POLICY.lfu:
    case POLICY.gdsf:
      return 255;
    default:
      return 0;
  }
}

/** The policy byte after a hit. */
export function metaAfterHit(meta: number, clock: number, clockMask: number, mostHits: number): number {
  const counted = meta >= mostHits ? meta & ~clockMask : (meta & ~clockMask) + clockMask + 1;
  return counted | (clock & clockMask);
}
