/**
 * Writes the log of queries for sections/mapped.mjs, which kills this process halfway. Arguments:
 * the file, and the number of queries.
 */
import process from 'node:process';
import { MmapVector } from 'offheap/mmap';
import { queryOf } from './lib/queries.mjs';

const [, , path, total] = process.argv;
const log = MmapVector.open(path, { mode: 'rw' });
process.send({ found: log.length });
while (log.length < Number(total)) {
  for (let i = 0; i < 1000; i++) log.push(queryOf(log.length));
  await log.flush();
  process.send({ flushed: log.flushed });
}
log.close();
process.disconnect();
