import { describe, expect, it } from 'vitest';
import { objectText, plainJson, bytesText, doctorText, rangesText } from '../../src/cli/text.js';
import { cpu, doctor, numa } from '../../src/index.js';
import { version } from '../../src/version.js';

describe('doctor', () => {
  const report = doctor();

  it('reports the processor and the addon', () => {
    expect(report.version).toBe(version);
    expect(report.native).toMatchObject({ loaded: true, error: undefined, sharedMemory: true });
    expect(report.cpu).toEqual(cpu());
    expect(['avx512', 'avx2', 'sse2', 'neon', 'generic']).toContain(report.cpu?.kernels);
    if (process.arch === 'x64') expect(report.cpu?.features).toContain('sse2');
    if (process.arch === 'arm64') expect(report.cpu?.features).toContain('neon');
  });

  it('reports a reservation that can be made', () => {
    expect(report.maxReservationBytes).toBeGreaterThanOrEqual(2 ** 20);
    const buffer = new SharedArrayBuffer(0, { maxByteLength: report.maxReservationBytes });
    expect(buffer.maxByteLength).toBe(report.maxReservationBytes);
  });

  it('reports the NUMA nodes', () => {
    const { nodes } = numa.topology();
    expect(report.numaAvailable).toBe(numa.available);
    expect(report.numaNodes.map(({ id, cpus, distances }) => ({ id, cpus, distances }))).toEqual(
      nodes.map(({ id, cpus, distances }) => ({ id, cpus, distances })),
    );
    expect(doctorText(report)).toContain(`node ${nodes[0].id}: CPUs ${rangesText(nodes[0].cpus)}, `);
  });

  it('returns plain data', () => {
    expect(structuredClone(report)).toEqual(report);
    expect(JSON.parse(plainJson(report))).toMatchObject({ version, node: process.versions.node });
  });

  it('prints every fallback, also without an addon', () => {
    const broken = {
      ...report,
      cpu: undefined,
      native: { ...report.native, loaded: false, error: 'no binary', sharedMemory: false },
      fallbacks: ['first thing', 'second thing'],
    };
    const text = doctorText(broken);
    expect(text).toContain('NOT LOADED\n               no binary\n');
    expect(text).toMatch(/fallbacks +first thing\n +second thing\n$/);
    expect(doctorText(report)).toContain(`kernels        ${report.cpu?.kernels}\n`);
  });
});

describe('text', () => {
  it('formats bytes in readable units', () => {
    expect([0, 1023, 1024, 1536, 2 ** 40, 2 ** 52].map(bytesText)).toEqual([
      '0 B',
      '1023 B',
      '1 KiB',
      '1.5 KiB',
      '1 TiB',
      '4096 TiB',
    ]);
  });

  it('formats numbers as ranges', () => {
    expect(rangesText([0, 1, 2, 5, 7, 8])).toBe('0-2,5,7-8');
    expect(rangesText([])).toBe('none');
  });

  it('prints nested objects as tables, and bigints as digits', () => {
    expect(
      objectText({ kind: 'hashmap', byteLength: 2048, lengthBytes: 2048, header: { version: 1, seed: 5n } }),
    ).toBe(
      'kind         hashmap\nbyteLength   2048\nlengthBytes  2048 (2 KiB)\nheader       version  1\n             seed     5\n',
    );
    expect(plainJson({ seed: 2n ** 64n - 1n })).toBe('{\n  "seed": "18446744073709551615"\n}\n');
  });
});
