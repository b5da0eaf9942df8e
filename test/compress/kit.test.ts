import * as offheap from '../../src/index.js';
import { describeStructure } from '../kit/run.js';
import { compress } from '../kit/structures/compress.mjs';

for (const [title, description] of Object.entries(compress(offheap))) describeStructure(title, description);
