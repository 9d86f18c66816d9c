// Lets a script use the project's TypeScript without a build: bundles one module with esbuild
// into .cache/scripts and imports it.

import { build } from 'esbuild';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** `await load('guests/debian.ts')` is the module's exports. */
export async function load(path) {
  const name = path.replaceAll('/', '-').replace(/\.ts$/, '');
  const outfile = join(root, '.cache', 'scripts', `${name}.${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [path],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  const module = await import(pathToFileURL(outfile).href);
  const { rmSync } = await import('node:fs');
  rmSync(outfile, { force: true });
  return module;
}
