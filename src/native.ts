/**
 * The lazy loader of the addon, whose functions are declared in `native/`.
 *
 * Importing a module loads nothing: `native()` loads the addon at the first bulk call, and later
 * calls read a variable. It tries the package's binary for this platform, then one that was built
 * here; if neither can be loaded, it throws one error that says what to do. The environment
 * variable `OFFHEAP_BINARY` names the only file to try. The binaries are inside the package because
 * npm does not run install scripts unless asked to.
 *
 * All of this also runs inside a bundle, where `import.meta.url` may be undefined or the path of
 * the machine that built it, and `createRequire` may be a function of the bundler.
 */
import { existsSync, readFileSync } from 'node:fs';
import process, { arch, platform } from 'node:process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, nativeError, offheapError, type OffheapError } from './errors.js';
import type { NativeBinding } from './native/binding.js';
import { version } from './version.js';

export type { NativeBinding };

/** The files that were tried as the addon, and the results. The doctor shows this. */
export interface NativeReport {
  /** The loaded file, or `undefined` if none is. */
  path: string | undefined;
  /** Whether the package, a build on this machine, or `OFFHEAP_BINARY` provided it. */
  source: 'prebuild' | 'build' | 'environment' | undefined;
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

/** The folder of a CommonJS module, which a bundle may be. */
declare const __dirname: unknown;

/**
 * The folders from which the package is searched: that of this module or bundle, and that of the
 * program. The working folder is not among them, because native code must not be loaded from a
 * folder that only happens to be current.
 */
function origins(): string[] {
  const folders: string[] = [];
  const { url } = import.meta as { url: unknown };
  if (typeof url === 'string' && url.startsWith('file:')) folders.push(dirname(fileURLToPath(url)));
  if (typeof __dirname === 'string') folders.push(resolve(__dirname));
  const program = process.argv[1];
  if (program !== undefined) folders.push(dirname(resolve(program)));
  return [...new Set(folders)];
}

function isPackage(folder: string): boolean {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown };
    return name === 'offheap';
  } catch {
    return false; // absent, or the manifest of another program
  }
}

function findPackage(): string | undefined {
  for (const origin of origins()) {
    for (let folder = origin; ; folder = dirname(folder)) {
      for (const root of [folder, join(folder, 'node_modules', 'offheap')]) {
        if (isPackage(root)) return root;
      }
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

/**
 * The folder of this package: the nearest one above this file with our package.json. It is the same
 * from `dist/`, from `src/` under a test runner and, through `node_modules`, from inside a bundle.
 */
export function packageRoot(): string {
  const root = findPackage();
  if (root !== undefined) return root;
  const message = `the folder of the package offheap was not found above ${origins().join(' or ')}`;
  throw offheapError('ERR_OFFHEAP_NATIVE', message);
}

/**
 * The binary of this package, as an expression that file tracers such as `@vercel/nft` evaluate:
 * they add it to the files of a program. For them it must not depend on the search above.
 */
function shipped(): string | undefined {
  const { url } = import.meta as { url: unknown };
  if (typeof url !== 'string' || !url.startsWith('file:')) return undefined;
  const folder = `${platform}-${arch}`;
  return join(dirname(fileURLToPath(import.meta.url)), '..', 'prebuilds', folder, 'offheap.node');
}

interface Candidate {
  path: string;
  source: 'prebuild' | 'build' | 'environment';
}

function candidates(): Candidate[] {
  const { OFFHEAP_BINARY: named } = process.env;
  if (named !== undefined && named !== '') return [{ path: resolve(named), source: 'environment' }];
  const root = findPackage();
  if (root === undefined) {
    // A tracer copies the binary, but not always the manifest by which the package is found.
    const traced = shipped();
    if (traced !== undefined && existsSync(traced)) return [{ path: traced, source: 'prebuild' }];
    const reason = 'the package offheap was not found above this folder';
    report.failures.push(...origins().map((path) => ({ path, reason })));
    return [];
  }
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

/** Loads the addon without `require`, which bundlers and Jest replace. */
function open(path: string): NativeBinding {
  const module: { exports: Partial<NativeBinding> } = { exports: {} };
  process.dlopen(module, path);
  const loaded = module.exports;
  const found = typeof loaded.version === 'function' ? loaded.version() : undefined;
  if (found !== version) {
    throw new Error(
      found === undefined
        ? 'this is not the addon of offheap'
        : `this is the addon of offheap ${found}, not of ${version}`,
    );
  }
  return loaded as NativeBinding;
}

function load(): NativeBinding {
  // A second attempt would fail too, so it throws the same error at once.
  if (failure !== undefined) throw failure;
  for (const { path, source } of candidates()) {
    if (!existsSync(path)) {
      report.failures.push({ path, reason: 'no such file' });
      continue;
    }
    try {
      const loaded = open(path);
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
      'In a bundle, mark offheap as external, or ship the binary and name it in the environment variable ' +
      'OFFHEAP_BINARY. In a clone of the repository, `npm run build` builds one (it needs Rust, CMake and ' +
      `a C++ compiler); an installed package should contain it under prebuilds/. Tried:${tried}`,
  );
  throw failure;
}
