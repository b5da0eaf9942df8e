/**
 * Everything of offheap in one import. Each module is also there by itself: `offheap/hashmap`, ...
 */
export * from './compress/index.js';
export { cpu, doctor, type CpuReport, type DoctorReport } from './doctor.js';
export * from './hashmap/index.js';
export * from './mmap/index.js';
export * from './pools/index.js';
export * from './smallmap/index.js';
export { type NativeReport } from './native.js';
export * from './succinct/index.js';
export * from './vector/index.js';
export { version } from './version.js';
