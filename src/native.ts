/**
 * The lazy loader of the addon, whose functions are declared in `native/`.
 *
 * Importing a module loads nothing: `native()` loads the addon at the first bulk call, and later
 * calls read a variable. It tries the package's binary for this platform, then one that was built
 * here; if neither can be loaded, it throws one error that says what to do. The binaries are inside
 * the package because npm does not run install scripts unless asked to.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, nativeError, offheapError, type OffheapError } from './errors.js';
import type { NativeBinding } from './native/binding.js';

export type { NativeBinding };

/** The files that were tried as the addon, and the results. The doctor shows this. */
export interface NativeReport {
  /** The loaded file, or `undefined` if none is. */
  path: string | undefined;
  /** Whether it came with the package or was built on this machine. */
  source: 'prebuild' | 'build' | undefined;
  /** Each file that was tried before, with the reason for the failure. */
  failures: { path: string; reason: string }[];
}

let binding: NativeBinding | undefined;
let failure: OffheapError | undefined;
const report: NativeReport = { path: undefined, source: undefined, failures: [] };

/** The addon, loaded at the first call. Throws `ERR_OFFHEAP_NATIVE` if it cannot be loaded. */
export function native(): NativeBinding {
  return binding ?? load();
}

/** The result of loading. Does not load the addon. */
export function nativeReport(): NativeReport {
  return { ...report, failures: report.failures.map((entry) => ({ ...entry })) };
}

/**
 * The folder of this package: the nearest one above this file with our package.json. It is the same
 * from `dist/`, from `src/` under a test runner and, through `node_modules`, from inside a bundle.
 */
export function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown };
      if (name === 'offheap') return folder;
    }
    if (folder === dirname(folder)) break;
  }
  try {
    return dirname(createRequire(import.meta.url).resolve('offheap/package.json'));
  } catch (cause) {
    throw offheapError(
      'ERR_OFFHEAP_NATIVE',
      `the folder of the package offheap was not found above ${here}`,
      {
        cause,
      },
    );
  }
}

function candidates(root: string): { path: string; source: 'prebuild' | 'build' }[] {
  const plain = `${platform}-${arch}`;
  const names = [plain];
  if (platform === 'linux') {
    // A binary for the other C library cannot be loaded, so both can be tried, the likely one
    // first.
    if (existsSync('/etc/alpine-release')) names.unshift(`${plain}-musl`);
    else names.push(`${plain}-musl`);
  }
  return [
    ...names.map((name) => ({
      path: join(root, 'prebuilds', name, 'offheap.node'),
      source: 'prebuild' as const,
    })),
    { path: join(root, 'build', 'Release', 'offheap.node'), source: 'build' as const },
  ];
}

function load(): NativeBinding {
  // A second attempt would fail too, so it throws the same error at once.
  if (failure !== undefined) throw failure;
  const root = packageRoot();
  const require = createRequire(join(root, 'package.json'));
  for (const { path, source } of candidates(root)) {
    if (!existsSync(path)) {
      report.failures.push({ path, reason: 'no such file' });
      continue;
    }
    try {
      const loaded = require(path) as NativeBinding;
      loaded.setErrorFactory(nativeError);
      report.path = path;
      report.source = source;
      return (binding = loaded);
    } catch (error) {
      report.failures.push({ path, reason: messageOf(error) });
    }
  }
  const tried = report.failures.map(({ path, reason }) => `\n  ${path}: ${reason}`).join('');
  failure = offheapError(
    'ERR_OFFHEAP_NATIVE',
    `offheap has no native binary that can be loaded on ${platform}-${arch} with Node ${process.version}. ` +
      'In a clone of the repository, `npm run build` builds one (it needs Rust, CMake and a C++ compiler); ' +
      `an installed package should contain it under prebuilds/. Tried:${tried}`,
  );
  throw failure;
}
