/** The types of the root module. Checked, never run. */
import { describe, expectTypeOf, it } from 'vitest';
import { cpu, doctor, OffheapError, version, type DoctorReport, type ErrorCode } from '../../src/index.js';

describe('the root module', () => {
  it('has plain types', () => {
    expectTypeOf(version).toBeString();
    expectTypeOf(doctor).returns.toEqualTypeOf<DoctorReport>();
    expectTypeOf(cpu().features).toEqualTypeOf<string[]>();
  });

  it('narrows errors by instanceof', () => {
    const caught = new Error('x') as unknown;
    if (caught instanceof OffheapError) {
      expectTypeOf(caught.code).toEqualTypeOf<ErrorCode>();
      expectTypeOf(caught.message).toBeString();
    }
  });

  it('lists the codes of errors', () => {
    // @ts-expect-error there is no such code
    new OffheapError('ERR_OFFHEAP_NOPE', 'x');
    expectTypeOf<'ERR_OFFHEAP_CORRUPT'>().toExtend<ErrorCode>();
  });
});
