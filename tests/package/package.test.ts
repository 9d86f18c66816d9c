// The packed tarball in clean projects: Node, strict TypeScript, Vite, webpack, esbuild, and a page
// with nothing but a script tag. Browsers' consumers run in Chromium where there is one.

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, launch } from '../web/chromium';
import { serveFolder } from '../web/server';
import { GUEST, node, npm, pack, project, root, tool, type Workspace } from './project';
import { BROWSER, NODE, PAGE, STRICT } from './sources';

const GUEST_SAID = 'abcQ off, abcQ off';
const KIB = 1024;

let workspace: Workspace;
let browser: Browser | undefined;

beforeAll(async () => {
  workspace = pack();
  if (executablePath) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  workspace?.remove();
});

/** Serves a built page and visits it; without a browser there is nothing to see. */
async function visit(folder: string): Promise<void> {
  if (!browser) return;
  const server = await serveFolder(folder);
  try {
    await visitAt(server.url);
  } finally {
    await server.close();
  }
}

/** Opens a page and waits for what its title says. */
async function visitAt(url: string): Promise<void> {
  if (!browser) return;
  const tab = await browser.newPage();
  const errors: string[] = [];
  tab.on('pageerror', (error) => errors.push(error.message));
  try {
    await tab.goto(url);
    await tab.waitForFunction(() => document.title !== 'waiting', undefined, { timeout: 60_000 });
    expect(await tab.title()).toBe(`done: ${GUEST_SAID}`);
    expect(errors).toEqual([]);
  } finally {
    await tab.close();
  }
}

describe('the tarball', () => {
  test('has no fault that publint or are-the-types-wrong would find', () => {
    expect(tool('publint', 'publint', [workspace.tarball, '--strict'], root)).toContain('All good');
    tool('@arethetypeswrong/cli', 'attw', [workspace.tarball, '--profile', 'esm-only'], root);
  });

  test('needs nothing installed beside it, and brings what it should', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as object;
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).toMatchObject({ sideEffects: false, type: 'module', bin: { vmi86: expect.anything() } }); // prettier-ignore
    const listed = readdirSync(join(project(workspace, 'files', {}), 'node_modules/vmi86/dist'));
    expect(listed.sort()).toEqual(['browser', 'core.wasm', 'node', 'types', 'vmi86.js']);
  });

  test('keeps engine and interface within 250 KiB, compressed', () => {
    // What a page that runs its machine in a worker fetches.
    const folder = join(root, 'dist/browser');
    const scripts = readdirSync(folder).filter((name) => name !== 'v86.js');
    const files = [...scripts.map((name) => join(folder, name)), join(root, 'dist/core.wasm')];
    const size = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
    console.log(`engine and interface: ${(size / KIB).toFixed(1)} KiB gzipped`);
    expect(size).toBeLessThan(250 * KIB);
  });
});

describe('a project', () => {
  test('in Node', () => {
    const folder = project(workspace, 'node', { 'main.js': NODE, 'guest.elf': GUEST });
    const output = node(['main.js'], folder);
    expect(output).toContain('false "abcQ" off');
    expect(output).toContain('true "abcQ" off');
    expect(output).toMatch(/^true image kernel: .+; .+$/m);
  });

  test('with npx vmi86', () => {
    const folder = project(workspace, 'npx', { 'guest.elf': GUEST });
    const run = (words: string[]): string =>
      npm(['exec', '--offline', '--', 'vmi86', ...words], folder);
    expect(run(['--version']).trim()).toMatch(/^\d+\.\d+\.\d+$/);
    const words = ['--kernel', 'guest.elf', '--expect', 'hello', '--timeout', '60'];
    expect(run(words)).toContain('hello');
  });

  test.each([
    ['with the DOM and a bundler', 'Bundler', { lib: ['ES2022', 'DOM'], types: [] }],
    [
      'with Node',
      'NodeNext',
      { lib: ['ES2022'], types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
    ],
  ])('in strict TypeScript, %s', (name, moduleResolution, more) => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      target: 'ES2022',
      module: moduleResolution === 'Bundler' ? 'ESNext' : moduleResolution,
      moduleResolution,
      ...more,
    };
    const folder = project(workspace, name.replaceAll(' ', '-'), {
      'main.ts': STRICT,
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['main.ts'] }),
    });
    tool('typescript', 'tsc', ['-p', '.'], folder);
  });

  test('with Vite, built', async () => {
    const folder = project(workspace, 'vite', {
      'index.html': PAGE('<script type="module" src="/main.js"></script>'),
      'main.js': BROWSER(),
      'public/guest.elf': GUEST,
    });
    tool('vite', 'vite', ['build', '--logLevel', 'warn', '--base', './'], folder);
    await visit(join(folder, 'dist'));
  });

  test('with Vite, served for development', async () => {
    const folder = project(workspace, 'vite-dev', {
      'index.html': PAGE('<script type="module" src="/main.js"></script>'),
      'main.js': BROWSER(),
      'public/guest.elf': GUEST,
    });
    const { createServer } = await import('vite');
    const server = await createServer({
      root: folder,
      configFile: false,
      logLevel: 'warn',
      optimizeDeps: { exclude: ['vmi86'] },
      server: { port: 0, host: '127.0.0.1' },
    });
    try {
      await server.listen();
      await visitAt(server.resolvedUrls!.local[0]!);
    } finally {
      await server.close();
    }
  });

  test('with webpack', async () => {
    const folder = project(workspace, 'webpack', { 'main.js': BROWSER() });
    const { default: webpack } = await import('webpack');
    const output = join(folder, 'dist');
    await new Promise<void>((resolve, reject) => {
      webpack({ mode: 'production', context: folder, entry: './main.js', output: { path: output } }, (error, stats) => {
        if (error || stats?.hasErrors()) reject(error ?? new Error(stats!.toString('errors-only')));
        else resolve();
      }); // prettier-ignore
    });
    writeFileSync(join(output, 'index.html'), PAGE('<script src="main.js"></script>'));
    writeFileSync(join(output, 'guest.elf'), GUEST);
    await visit(output);
  });

  test('with esbuild', async () => {
    const folder = project(workspace, 'esbuild', {
      'main.js': BROWSER("import core from 'vmi86/core.wasm';", ', core, ...worker && { worker: new URL("worker.js", document.baseURI) }'),
    }); // prettier-ignore
    const { build } = await import('esbuild');
    await build({
      absWorkingDir: folder,
      entryPoints: { main: 'main.js', worker: 'vmi86/worker' },
      bundle: true,
      format: 'esm',
      outdir: 'dist',
      loader: { '.wasm': 'file' },
      logLevel: 'warning',
    });
    const script = '<script type="module" src="main.js"></script>';
    writeFileSync(join(folder, 'dist/index.html'), PAGE(script));
    writeFileSync(join(folder, 'dist/guest.elf'), GUEST);
    await visit(join(folder, 'dist'));
  });

  test('with a bare script tag', async () => {
    const folder = project(workspace, 'bare', { 'guest.elf': GUEST });
    cpSync(join(folder, 'node_modules/vmi86/dist'), join(folder, 'vmi86'), { recursive: true });
    const script = BROWSER().replace("'vmi86'", "'./vmi86/browser/index.js'");
    writeFileSync(join(folder, 'index.html'), PAGE(`<script type="module">${script}</script>`));
    await visit(folder);
  });
});
