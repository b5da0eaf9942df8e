import * as offheap from '../../src/index.js';
import { describeStructure } from '../kit/run.js';
import { succinct } from '../kit/structures/succinct.mjs';

for (const [title, description] of Object.entries(succinct(offheap))) describeStructure(title, description);
