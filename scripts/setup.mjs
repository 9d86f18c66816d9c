// What `npm start` and `npm test` need before they can do anything: dependencies, a build.
// Node's own modules only, because it runs in a clone where nothing is installed yet.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`vmi86 needs Node 20 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** What dist/ is made of. */
const SOURCES = [
  'assembly',
  'isa',
  'jit',
  'host',
  'scripts/build.mjs',
  'scripts/declarations.mjs',
  'package.json',
];
const PRODUCTS = ['dist/core.wasm', 'dist/vmi86.js', 'dist/types/worker.d.ts'];

export function installIfMissing() {
  if (existsSync(join(root, 'node_modules', '.package-lock.json'))) return;
  console.error('vmi86: installing dependencies (npm ci)');
  // On Windows npm is a .cmd, which only a shell starts.
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], process.platform === 'win32');
}

export function buildIfStale() {
  const built = PRODUCTS.map((path) => modified(join(root, path)));
  const newest = Math.max(...SOURCES.map((path) => newestIn(join(root, path))));
  if (built.every((time) => time > newest)) return;
  console.error('vmi86: building');
  run(process.execPath, [join('scripts', 'build.mjs')]);
}

/** A failure ends this process with the same status; what went wrong is on the screen already. */
function run(program, args, shell = false) {
  // stdout stays clean for what the user asked for.
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    shell,
    stdio: ['ignore', 2, 'inherit'],
  });
  if (error) console.error(`vmi86: ${program}: ${error.message}`);
  if (status !== 0) process.exit(status || 1);
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestIn(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return modified(path);
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'generated')
    .reduce((newest, entry) => Math.max(newest, newestIn(join(path, entry.name))), 0);
}
