import * as offheap from '../../src/index.js';
import { describeStructure } from '../kit/run.js';
import { vector } from '../kit/structures/vector.mjs';

for (const [title, description] of Object.entries(vector(offheap))) describeStructure(title, description);
