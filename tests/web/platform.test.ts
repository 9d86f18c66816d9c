// The package in a page by itself: a hidden page's timers, the main thread's turns, streams, a wrong
// core. The built files as they are, without a bundler.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FOREVER, kernel, say } from '../lib/kernels';
import { executablePath, launch } from './chromium';
import { root } from './page';
import { serveFolder, type StaticServer } from './server';

describe.skipIf(!executablePath)('in a page', () => {
  let browser: Browser;
  let server: StaticServer;
  let folder: string;
  let page: Page;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vmi86-platform-'));
    cpSync(join(root, 'dist/browser'), join(folder, 'browser'), { recursive: true });
    cpSync(join(root, 'dist/core.wasm'), join(folder, 'core.wasm'));
    writeFileSync(join(folder, 'busy.elf'), kernel(...say('busy\n'), ...FOREVER));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>test</title>');
    server = await serveFolder(folder);
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.url);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  /** Runs the body of an async function in the page, with createMachine at hand. */
  const inPage = (body: string): Promise<unknown> =>
    page.evaluate(
      `(async () => { const { createMachine } = await import('/browser/index.js'); ${body} })()`,
    );

  test('the page has its turn while its own thread runs a busy guest', async () => {
    const longest = await inPage(`
      const machine = await createMachine({ kernel: 'busy.elf', memory: 16 });
      machine.run();
      await machine.serial.waitFor('busy');
      let longest = 0, last = performance.now();
      for (let i = 0; i < 50; i++) {
        await new Promise((resolve) => setTimeout(resolve));
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }
      const { instructions } = await machine.stats();
      await machine.destroy();
      return instructions.total > 1e6 ? longest : 'the guest did not run';`);
    console.log(`longest wait on the main thread: ${Number(longest).toFixed(1)} ms`);
    expect(longest).toBeLessThan(250); // slices of 10 ms, on a machine that others use, too
  });

  test('a hidden page has its timers from a worker', async () => {
    const waited = await inPage(`
      Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
      const workers = [];
      const Original = Worker;
      globalThis.Worker = class extends Original {
        constructor(url) { super(url); workers.push(String(url)); }
      };
      const machine = await createMachine({ kernel: 'busy.elf', memory: 16 });
      const started = performance.now();
      const error = await machine.serial.waitFor('never', { timeout: 100 }).catch((error) => error);
      await machine.destroy();
      globalThis.Worker = Original;
      delete document.visibilityState;
      return { code: error.code, blob: workers[0]?.startsWith('blob:'), time: performance.now() - started };`);
    expect(waited).toMatchObject({ code: 'timeout', blob: true });
    expect((waited as { time: number }).time).toBeGreaterThan(99);
  });

  test.each([false, true])('what is wrong is said (worker: %s)', async (worker) => {
    const attempt = (options: string): Promise<unknown> =>
      inPage(`return createMachine({ kernel: 'busy.elf', memory: 16, worker: ${worker}, ${options} })
        .then(() => 'made', ({ code, message }) => code + ': ' + message);`);
    expect(await attempt("core: '/index.html'")).toMatch(/^load: core .*is not WebAssembly; give/);
    expect(await attempt("core: '/nothing'")).toMatch(/^load: core .*404/);
    expect(await attempt("kernel: 'index.html'")).toMatch(/^image: kernel: /);
    expect(await attempt("worker: new URL('nothing.js', location.href)")).toMatch(
      /^worker: the worker: .*give its URL/,
    );
  });
});
