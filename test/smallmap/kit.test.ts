import * as offheap from '../../src/index.js';
import { describeStructure } from '../kit/run.js';
import { smallmap } from '../kit/structures/smallmap.mjs';

for (const [title, description] of Object.entries(smallmap(offheap))) describeStructure(title, description);
