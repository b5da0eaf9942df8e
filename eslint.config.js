// The rules that the compiler does not check. Formatting is prettier's.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// The modules are the folders of src/ above the shared layers. `test/scripts/layers.test.ts` checks
// the other rules for imports, and those of the native sources.
const shared = ['region', 'elements', 'native', 'cli'];
const modules = readdirSync(join(import.meta.dirname, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !shared.includes(entry.name))
  .map(({ name }) => name);

export default tseslint.config(
  {
    ignores: ['dist', 'build', 'prebuilds', 'native', 'docs/site', '.cache', 'coverage', '**/node_modules'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylistic],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers and booleans in messages are fine.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      // Hot paths index typed arrays in counted loops on purpose.
      '@typescript-eslint/prefer-for-of': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // This code consists of shifts and masks.
      'no-bitwise': 'off',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      // Callers may be JavaScript, so arguments are checked although their types promise the
      // result.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      // A type annotation keeps the value of an exported constant out of its type.
      '@typescript-eslint/no-inferrable-types': 'off',
      // A getter on the prototype costs nothing per instance; a field does.
      '@typescript-eslint/class-literal-property-style': 'off',
    },
  },
  {
    files: ['src/{region,elements,native}/**/*.ts', 'src/native.ts', 'src/errors.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [...modules, 'cli'].map((name) => `**/${name}/**`),
              message: 'A lower layer must not import a higher one.',
            },
          ],
        },
      ],
    },
  },
  ...modules.map((module) => ({
    files: [`src/${module}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                '**/cli/**',
                '../index.js',
                ...modules
                  .filter((other) => other !== module)
                  .flatMap((other) => [`../${other}/**`, `../../${other}/**`, `!**/${other}/index.js`]),
              ],
              message: 'A module may import the index of another module, and nothing above itself.',
            },
          ],
        },
      ],
    },
  })),
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests pass wrong arguments on purpose.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-type-assertion': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'performance',
          'URL',
          'TextEncoder',
          'TextDecoder',
          'Buffer',
          'SharedArrayBuffer',
          'Atomics',
          'structuredClone',
          'setTimeout',
          'setInterval',
          'clearTimeout',
          'clearInterval',
          'setImmediate',
          'globalThis',
          'AbortController',
          'WeakRef',
          'FinalizationRegistry',
          'gc',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
