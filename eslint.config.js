// What the compiler does not see. Formatting is prettier's.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

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
      // Shifts and masks are what this code is made of.
      'no-bitwise': 'off',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      // Callers may be JavaScript: arguments are checked against what their types already promise.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      // An exported constant that is typed as string does not promise its value.
      '@typescript-eslint/no-inferrable-types': 'off',
      // A getter of the prototype costs an instance nothing, a field does.
      '@typescript-eslint/class-literal-property-style': 'off',
    },
  },
  {
    // The lower layers may not know the upper ones (DESIGN: arrows run one way).
    files: ['src/region/**/*.ts', 'src/native.ts', 'src/errors.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                ...['hashmap', 'smallmap', 'vector', 'pools', 'mmap', 'succinct', 'compress', 'cli'].map(
                  (module) => `**/${module}/**`,
                ),
              ],
              message: 'The lower layer does not know its users.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests pass wrong things on purpose.
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
