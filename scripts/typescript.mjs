// Lets a script use the project's TypeScript without a build: bundles one module with esbuild
// into .cache/scripts and imports it.

import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { translatorDefine } from './translator-hash.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Bundles a module and answers with the file it is in; the caller removes it. */
export async function bundle(path) {
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
    define: translatorDefine(),
    logLevel: 'error',
  });
  return outfile;
}

/** `await load('guests/debian.ts')` is the module's exports. */
export async function load(path) {
  const file = await bundle(path);
  try {
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(file);
  }
}
