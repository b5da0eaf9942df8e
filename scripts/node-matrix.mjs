/**
 * `npm run matrix`: vitest on every supported release line of Node. `.ci/run` does the same through
 * `npm test -- --matrix`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const names = ['vitest', 'vitest on Node 22', 'vitest on Node 24'].join(',');
const script = fileURLToPath(new URL('test.mjs', import.meta.url));
const args = [script, '--matrix', '--only', names, ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
