/**
 * Kills processes while they append to an MmapVector, 2,000 of them by default:
 *
 *   node scripts/kill-loop.mjs [rounds] [seed] [folder]
 *
 * The files are in memory (/dev/shm) unless a folder is given.
 */
import { join } from 'node:path';
import { kill } from '../test/helpers/killing.mjs';

const rounds = Number(process.argv[2] ?? 2000);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds from seed ${seed}`);
console.log(await kill(join(import.meta.dirname, '..', 'dist'), rounds, seed, process.argv[4]));
