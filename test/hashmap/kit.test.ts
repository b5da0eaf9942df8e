import * as offheap from '../../src/index.js';
import { describeStructure } from '../kit/run.js';
import { hashmap } from '../kit/structures/hashmap.mjs';

for (const [title, description] of Object.entries(hashmap(offheap))) describeStructure(title, description);
