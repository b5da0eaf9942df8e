/**
 * The whole library in one import. Each module can also be imported alone: `offheap/hashmap`, and
 * so on.
 */
export { cpu, doctor, type CpuReport, type DoctorReport } from './doctor.js';
export { type NativeReport } from './native.js';
export { version } from './version.js';
// generated (npm run generate): modules
export * from './compress/index.js';
export * from './hashmap/index.js';
export * from './mmap/index.js';
export * from './pools/index.js';
export * from './sharedmap/index.js';
export * from './smallmap/index.js';
export * from './succinct/index.js';
export * from './vector/index.js';
// end of generated: modules
