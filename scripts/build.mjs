// Builds dist/: the tables and interpreter cases from isa/, the core by asc, the rest by esbuild.
// `node scripts/build.mjs core` builds the core alone, `js` all but the core.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { emitDeclarations } from './declarations.mjs';
import { hintCore } from './hint-core.mjs';
import { translatorDefine } from './translator-hash.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (path) => join(root, path);
const started = Date.now();
const say = (text) =>
  console.error(`build: ${text} (${((Date.now() - started) / 1000).toFixed(1)} s)`);

mkdirSync(inRoot('dist'), { recursive: true });

if (process.argv[2] !== 'js') {
  // isa/ and the table of VMI calls are TypeScript that runs at build time: bundled, run, thrown away.
  const generator = inRoot('dist/.generate.mjs');
  await build({
    stdin: {
      contents: `
        import { writeFileSync } from 'node:fs';
        import './isa/generate/main.ts';
        import { vmiSource } from './host/vmi/generate.ts';
        writeFileSync(process.argv[2] + '/assembly/generated/vmi.ts', vmiSource());`,
      resolveDir: root,
    },
    outfile: generator,
    bundle: true,
    // The package is declared free of side effects; the generator is nothing else.
    ignoreAnnotations: true,
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
  await hintCore(inRoot('dist/core.wasm'));
  say('core');

  if (process.argv[2] === 'core') process.exit();
}

// commander is CommonJS: bundled into a module it still asks for Node's own modules by require().
const PROGRAM_BANNER = `#!/usr/bin/env node
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;
/** xz-decompress asks a Node before 18 for what is global since; what is left of that is a require() at load. */
const withoutStreams = {
  name: 'without stream/web',
  setup(build) {
    build.onResolve({ filter: /^stream\/web$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    build.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: '' }));
  },
};
const common = {
  bundle: true,
  plugins: [withoutStreams],
  format: 'esm',
  logLevel: 'warning',
  absWorkingDir: root,
  define: translatorDefine(),
};
await build({
  ...common,
  entryPoints: { vmi86: 'host/cli/main.ts' },
  outdir: 'dist',
  platform: 'node',
  target: 'node20',
  banner: { js: PROGRAM_BANNER },
  // For `vmi86 bundle` only, which says so if it is not installed.
  external: ['binaryen'],
});
// npx runs it as it stands, in a clone too.
chmodSync(inRoot('dist/vmi86.js'), 0o755);

// The package. What its entries share is in chunks beside them: core.wasm is one folder up from all.
for (const platform of ['node', 'browser']) {
  rmSync(inRoot(`dist/${platform}`), { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: {
      index: `host/embed/${platform}.ts`,
      worker: `host/embed/worker-${platform}.ts`,
      v86: `host/embed/v86-${platform}.ts`,
    },
    outdir: `dist/${platform}`,
    platform,
    target: platform === 'node' ? 'node20' : 'es2022',
    splitting: true,
    minify: platform === 'browser',
  });
}
emitDeclarations(root);
say('done');
