/** offheap/vector: growing arrays of numbers outside the JavaScript heap. */
export { Elements, type SumOf, type Values } from '../elements/elements.js';
export { Vector, type VectorOptions, type VectorStats } from './vector.js';
export { type Column, type JsType, type NumericType } from '../region/element.js';
export { type WorkOptions } from '../region/progress.js';
export { type Structure } from '../region/structure.js';
export { type OpenOptions, type SaveOptions } from '../region/file.js';
export { type Progress } from '../region/progress.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
