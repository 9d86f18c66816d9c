// Builds the page: web/ and the package's browser side by esbuild, into dist/web. What only some
// people need (wabt) becomes a file of its own, loaded when it is asked for.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** The embedded guest, up to its prompt. */
const GUEST = 'guest/vmi-guest.elf';

/**
 * A bundle of what the embedded guest has translated up to its prompt, made anew when the guest or
 * vmi86 is another: that takes a minute. Undefined: there is none, and `make` does not ask for one.
 */
function guestTranslations(make) {
  const hash = createHash('sha256').update(JSON.stringify(translatorDefine()));
  for (const file of [GUEST, 'dist/core.wasm', 'package.json']) {
    if (!existsSync(join(root, file))) return undefined;
    hash.update(readFileSync(join(root, file)));
  }
  const bundle = join(root, `.cache/vmi-guest-${hash.digest('hex').slice(0, 12)}.vmi`);
  if (existsSync(bundle)) return bundle;
  if (!make) return undefined;
  console.error('web: translating the embedded guest for the page, once');
  mkdirSync(join(root, '.cache'), { recursive: true });
  const saved = `${bundle}.${process.pid}`;
  const vmi86 = (...words) =>
    spawnSync(process.execPath, [join(root, 'dist/vmi86.js'), ...words], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }).status === 0;
  const run = ['--kernel', join(root, GUEST), '--memory', '64', '--expect', 'guest> $'];
  const done = vmi86(...run, '--translations', saved) && vmi86('bundle', bundle, saved);
  rmSync(saved, { force: true });
  if (!done) console.error('web: without translations: that failed');
  return done ? bundle : undefined;
}

/**
 * @param {{ translate?: boolean }} options `translate`: the embedded guest's translations are made if
 *   they are not there
 * @returns the folder that can be served
 */
export async function buildPage({ translate = false } = {}) {
  const translations = guestTranslations(translate);
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
    define: { ...translatorDefine(), VMI86_PAGE_TRANSLATIONS: String(translations !== undefined) },
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
  if (translations) copyFileSync(translations, join(folder, 'guests/vmi-guest.vmi'));
  return folder;
}
