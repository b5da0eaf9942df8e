/**
 * A process that opens the map in a file and works on it: `fill` stores 1,000 keys, `churn` writes,
 * deletes and checks keys until it is killed, `crowd` attaches as often as it can.
 */
import { join } from 'node:path';

const [, , dist, path, role, seed = '1'] = process.argv;
/** @type {typeof import('../../src/sharedmap/index.js')} */
const { SharedMap } = await import(join(dist, 'sharedmap', 'index.js'));

const open = () => SharedMap.open(path, { key: 'string', value: 'structured' });
let random = Number(seed);
const below = (/** @type {number} */ limit) => {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};

if (role === 'fill') {
  const map = open();
  for (let i = 0; i < 1000; i++) map.set(`key ${i}`, { i });
  process.stdout.write(`${map.stats().participants}`);
} else if (role === 'crowd') {
  const maps = [];
  try {
    for (;;) maps.push(open());
  } catch (error) {
    process.stdout.write(`${error.code} ${maps.length}`);
  }
  process.stdin.resume();
} else {
  const map = open();
  process.stdout.write('started');
  for (;;) {
    const key = `shared ${below(500)}`;
    const choice = below(10);
    if (choice < 5) map.set(key, { key, list: Array.from({ length: below(60) }, () => key) });
    else if (choice < 6) map.delete(key);
    else {
      const value = /** @type {{ key: string, list: string[] } | undefined} */ (map.get(key));
      if (value !== undefined && (value.key !== key || value.list.some((item) => item !== key))) {
        process.stdout.write(`wrong value of ${key}`);
        process.exit(1);
      }
    }
  }
}
