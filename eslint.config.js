// Lint rules, above all the layering: folders are a pipeline and imports run one way
// (docs/architecture.md). shared <- assembly, shared <- jit, shared <- host; jit never knows host.

import tseslint from 'typescript-eslint';

const NODE_MODULES = {
  regex: '^node:|^(fs|path|child_process|os|worker_threads)$',
  message: 'Node is touched in host/platform/node.ts and host/cli only.',
};

/** No import whose path has one of the folders in it. */
function without(folders, because, more = []) {
  const patterns = folders.map((folder) => ({
    regex: `^\\.\\.?/(.*/)?${folder}(/|$)`,
    message: because,
  }));
  return { 'no-restricted-imports': ['error', { patterns: [...patterns, ...more] }] };
}

/** assembly/ is the core itself; only its constants in assembly/shared are for others. */
const CORE = 'assembly/(?!shared/)[^/]+';
const OUTER = ['tests', 'web', 'bench', 'guests'];
const BROWSER_AND_NODE = ['process', 'Buffer', 'window', 'document', 'navigator', 'setImmediate'];

export default tseslint.config(
  {
    ignores: ['node_modules/', 'dist/', '.cache/', 'assembly/generated/', 'tests/.artifacts/'],
  },
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
    },
  },
  {
    // AssemblyScript: == is its ===, var and namespaces do not occur, types are checked by asc.
    files: ['assembly/**/*.ts'],
    rules: {
      eqeqeq: 'off',
      'prefer-const': 'off',
      '@typescript-eslint/ban-ts-comment': 'off',
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      ...without(['isa', 'jit', 'host', ...OUTER], 'assembly/ runs alone.'),
    },
  },
  {
    files: ['assembly/shared/**/*.ts'],
    rules: without(
      ['\\.\\.', 'isa', 'jit', 'host', ...OUTER],
      'assembly/shared is below everything.',
    ),
  },
  {
    files: ['isa/**/*.ts'],
    rules: without(
      [CORE, 'jit', 'host', ...OUTER],
      'isa/ describes x86 and knows nobody but shared.',
    ),
  },
  {
    files: ['jit/**/*.ts'],
    rules: without([CORE, 'host', ...OUTER], 'jit/ knows shared and isa only.', [NODE_MODULES]),
  },
  {
    files: ['jit/wasm/**/*.ts'],
    rules: without(
      ['\\.\\./\\.\\.', 'isa', 'assembly', 'host', ...OUTER],
      'jit/wasm knows wasm only.',
      [NODE_MODULES],
    ),
  },
  {
    files: ['host/**/*.ts'],
    ignores: ['host/cli/**', 'host/platform/node.ts'],
    rules: {
      ...without(
        [CORE, 'cli', ...OUTER],
        'host/ knows shared, isa and jit; nobody imports its users.',
        [NODE_MODULES],
      ),
      'no-restricted-globals': ['error', ...BROWSER_AND_NODE],
    },
  },
  {
    files: ['host/cli/**/*.ts', 'host/platform/node.ts'],
    rules: without([CORE, ...OUTER], 'nobody imports tests, web, bench, guests.'),
  },
  {
    files: ['guests/**/*.ts'],
    rules: without([CORE, 'jit', 'host', 'tests', 'web', 'bench'], 'guests/ only makes files.'),
  },
  {
    files: ['web/**/*.ts'],
    rules: without(
      ['isa', 'jit', 'assembly', 'host/(?!embed/)[^/]+', 'tests', 'bench'],
      'the page is a user of the package.',
      [NODE_MODULES],
    ),
  },
  {
    files: ['tests/**/*.ts'],
    ignores: ['tests/lib/commands.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          name: 'node:child_process',
          importNames: ['execFileSync', 'execSync', 'spawnSync'],
          message: 'tests/lib/commands.ts has them with a time limit.',
        },
      ],
    },
  },
  {
    files: ['scripts/**', 'bench/**', 'tests/**', '*.js', '*.ts', 'isa/generate/**'],
    rules: { 'no-console': 'off' },
  },
);
