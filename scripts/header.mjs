/** `npm run header`: rewrites native/capi/include/offheap.h from the Rust sources. */
import { fail, run } from './lib/run.mjs';

const { code, output } = await run(
  'cargo',
  ['test', '--manifest-path', 'native/Cargo.toml', '-p', 'offheap-capi', '--test', 'header', '-q'],
  { env: { OFFHEAP_BLESS: '1' } },
).catch(fail);
if (code !== 0) process.stderr.write(output);
else console.log('native/capi/include/offheap.h is current');
process.exit(code);
