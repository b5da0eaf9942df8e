/**
 * Records: every place as JSON in a RecordStore, in memory and mapped, beside an array of the same
 * strings and a JSON file of them.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dictionary, RecordStore } from 'offheap/compress';
import { collector, median, repeatable, timed } from '../lib/clock.mjs';
import { answers, count, heading, megabytes, ms } from '../lib/screen.mjs';

export const title = 'Records';
/** One place in this many is a training sample. */
const SAMPLED = 20;
const QUESTIONS = 20_000;

/** The strings, and their size on the heap. */
function stringsOf(world) {
  const collect = collector();
  collect();
  const before = process.memoryUsage().heapUsed;
  const strings = world.cities.map((city) => JSON.stringify(city));
  collect();
  return { strings, bytes: process.memoryUsage().heapUsed - before };
}

export async function run(world) {
  heading(title);
  const { checks, cities } = world;
  const { strings, bytes } = stringsOf(world);
  const started = performance.now();
  const dictionary = await Dictionary.train(strings.filter((_, i) => i % SAMPLED === 0));
  const store = await RecordStore.build(strings, { dictionary });
  const built = performance.now() - started;
  let i = 0;
  for (const record of store) checks.same(`record ${i}`, Buffer.from(record).toString(), strings[i++]);
  checks.same('records', i, strings.length);

  const folder = mkdtempSync(join(tmpdir(), 'offheap-demo-'));
  try {
    const [path, json] = [join(folder, 'records'), join(folder, 'records.json')];
    await store.save(path);
    writeFileSync(json, `[${strings.join(',')}]`);
    const last = cities.length - 1;
    const opened = () => {
      const mapped = RecordStore.open(path);
      const city = JSON.parse(/** @type {string} */ (mapped.getString(last)));
      mapped.close();
      return city.id;
    };
    checks.same('the last place, mapped', opened(), cities[last].id);
    const open = median(opened, 21);
    const parse = timed(() => JSON.parse(readFileSync(json, 'utf8'))[last].id).ms;

    const random = repeatable(5);
    const asked = Array.from({ length: QUESTIONS }, () => random(cities.length));
    const ask = (/** @type {(i: number) => string | undefined} */ text) =>
      median(() => asked.reduce((sum, at) => sum + JSON.parse(/** @type {string} */ (text(at))).lat, 0)) /
      QUESTIONS;
    const ours = ask((at) => store.getString(at));
    const plain = ask((at) => strings[at]);

    const { rawBytes, compressedBytes } = store.stats();
    answers([
      [
        'compressed',
        `${count(strings.length)} records from ${Math.round(rawBytes / strings.length)} to ` +
          `${(compressedBytes / strings.length).toFixed(1)} bytes on average, in ${ms(built)} including training`,
      ],
      ['mapped', `${megabytes(statSync(path).size)}; each record can be read without the others`],
    ]);
    return [
      {
        label: 'memory of all records',
        ours: megabytes(store.byteLength),
        plain: megabytes(bytes),
        ratio: bytes / store.byteLength,
      },
      { label: 'read a record and parse it', ours: ms(ours), plain: ms(plain), ratio: plain / ours },
      { label: 'open the file, read the last record', ours: ms(open), plain: ms(parse), ratio: parse / open },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
    store.close();
    dictionary.close();
  }
}
