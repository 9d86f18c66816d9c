// Builds dist/: the tables and interpreter cases from isa/, the core by asc, the rest by esbuild.
// `node scripts/build.mjs core` builds the core alone.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (path) => join(root, path);
const started = Date.now();
const say = (text) =>
  console.error(`build: ${text} (${((Date.now() - started) / 1000).toFixed(1)} s)`);

mkdirSync(inRoot('dist'), { recursive: true });

// isa/ is TypeScript that runs at build time: bundled, run, thrown away.
const generator = inRoot('dist/.generate.mjs');
await build({
  entryPoints: [inRoot('isa/generate/main.ts')],
  outfile: generator,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
execFileSync(process.execPath, [generator, root], { stdio: 'inherit' });
rmSync(generator);

execFileSync(
  process.execPath,
  [
    inRoot('node_modules/assemblyscript/bin/asc.js'),
    '--config',
    'asconfig.json',
    '--target',
    'release',
  ],
  { stdio: 'inherit', cwd: root },
);
say('core');

// commander is CommonJS: bundled into a module it still asks for Node's own modules by require().
const PROGRAM_BANNER = `#!/usr/bin/env node
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;
const entries = { vmi86: 'host/cli/main.ts', index: 'host/index.ts' };
for (const [name, entry] of Object.entries(entries)) {
  if (process.argv[2] === 'core' || !existsSync(inRoot(entry))) continue;
  await build({
    entryPoints: { [name]: inRoot(entry) },
    outdir: inRoot('dist'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    ...(name === 'vmi86' ? { banner: { js: PROGRAM_BANNER } } : {}),
  });
}
say('done');
