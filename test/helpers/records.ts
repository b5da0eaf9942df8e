/** Records that are much alike, for compression. */
const NAMES = ['Amsterdam', 'Berlin', 'Kairo', 'Dakar', 'Édimbourg', '福岡', 'Guadalajara', 'Hyderabad'];

/** JSON of a made-up town. */
export function town(i: number): string {
  return JSON.stringify({
    id: i,
    name: `${NAMES[(i * 7) % 8]} ${NAMES[(i * 3) % 8]}`,
    lat: (((i * 7919) % 18000) / 100).toFixed(3),
    lng: (-((i * 104_729) % 36000) / 100).toFixed(3),
    admin: String(i % 20).padStart(2, '0'),
  });
}

export function towns(count: number): string[] {
  return Array.from({ length: count }, (_, i) => town(i));
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
