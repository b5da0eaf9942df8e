/**
 * Keeps the log of queries, for sections/mapped.mjs, which kills it half-way. Started with the file
 * and a number of queries.
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
