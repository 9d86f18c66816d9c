// `npm run check`: formatting, lint (with the layering rule), types. Runs all and then says which
// failed, so that one run shows everything. Node runs the tools' own files: no shell is needed.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './typescript.mjs';

const require = createRequire(import.meta.url);

/** The program a package installs under a name. */
function bin(name, command = name) {
  const manifest = require.resolve(`${name}/package.json`);
  const { bin } = require(manifest);
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command]);
}

const checks = [
  ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.'], 'npm run format repairs it'],
  ['lint', bin('eslint'), ['.', '--max-warnings', '0'], ''],
  ['types', bin('typescript', 'tsc'), ['--noEmit'], ''],
];

let failed = 0;
for (const [name, program, args, remedy] of checks) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (status !== 0) failed++;
  console.error(`check: ${name} ${status === 0 ? 'ok' : `FAILED ${remedy}`} (${seconds} s)`);
}
process.exitCode = failed ? 1 : 0;
