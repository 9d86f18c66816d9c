// Builds the page: web/ and the package's browser side by esbuild, into dist/web. What only some
// people need (wabt) becomes a file of its own, loaded when it is asked for.

import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './setup.mjs';
import { translatorDefine } from './translator-hash.mjs';

/** wabt asks for Node's modules where it runs in Node; a page has none of them. */
const nothing = {
  name: 'nothing',
  setup(build) {
    build.onResolve({ filter: /^(fs|path|crypto|node:.*)$/ }, ({ path }) => {
      return { path, namespace: 'nothing' };
    });
    build.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: '' }));
  },
};

/** @returns the folder that can be served */
export async function buildPage() {
  const folder = join(root, 'dist/web');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'guests'), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'web/main.ts', worker: 'host/embed/worker-browser.ts' },
    outdir: join(folder, 'assets'),
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    plugins: [nothing],
    define: translatorDefine(),
    // The package says that it has no side effects, which goes for what it exports.
    ignoreAnnotations: true,
    logLevel: 'warning',
  });
  copyFileSync(join(root, 'web/index.html'), join(folder, 'index.html'));
  copyFileSync(join(root, 'dist/core.wasm'), join(folder, 'core.wasm'));
  // A file server that has more guests answers with its own list.
  writeFileSync(join(folder, 'guests/guests.json'), '[]\n');
  const guest = join(root, 'guest/vmi-guest.elf');
  if (existsSync(guest)) copyFileSync(guest, join(folder, 'guests/vmi-guest.elf'));
  return folder;
}
