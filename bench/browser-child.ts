// A guest in a page of headless Chromium as a program of its own, its first serial port on stdin and
// stdout: what makes a browser an engine of the bench. Argument: one JSON object (BrowserJob).
// Prints PAGE_READY on a line when the browser is up, so that its start is nobody's boot time.

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { PAGE_READY, type BrowserJob } from './browser-job';

const TYPES: [RegExp, string][] = [
  [/\.m?js$/, 'text/javascript'],
  [/\.wasm$/, 'application/wasm'],
  [/^\/$/, 'text/html'],
];

/** In the page; `job` is BrowserJob. Both answer with a function that types. */
const VMI86 = `
  const { createMachine } = await import('/vmi86/browser/index.js');
  const machine = await createMachine({
    kernel: '/kernel', append: job.append, memory: job.memory, jit: job.jit, worker: true,
    ...job.initrd && { initrd: '/initrd' },
    on: { serial: (bytes) => out(String.fromCharCode(...bytes)) },
  });
  machine.run();
  return (text) => machine.serial.write(text);`;
const V86 = `
  const { V86 } = await import('/v86/libv86.mjs');
  const image = { url: '/kernel' };
  const emulator = new V86({
    wasm_path: '/v86/v86.wasm', memory_size: job.memory << 20, vga_memory_size: 2 << 20,
    bios: { url: '/bios.bin' }, vga_bios: { url: '/vgabios.bin' }, cmdline: job.append,
    ...job.multiboot ? { multiboot: image } : { bzimage: image },
    ...job.initrd && { initrd: { url: '/initrd' } },
    autostart: true, disable_speaker: true,
  });
  let pending = '';
  emulator.add_listener('serial0-output-byte', (byte) => {
    if (!pending) setTimeout(() => { out(pending); pending = ''; });
    pending += String.fromCharCode(byte);
  });
  return (text) => emulator.serial0_send(text);`;

const job = JSON.parse(process.argv[2]!) as BrowserJob;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url!, 'http://localhost');
  const type = TYPES.find(([pattern]) => pattern.test(pathname))?.[1] ?? 'application/octet-stream';
  const prefix = Object.keys(job.files).find((path) => path.endsWith('/') && pathname.startsWith(path)); // prettier-ignore
  const file = job.files[pathname] ?? (prefix && job.files[prefix] + pathname.slice(prefix.length));
  if (pathname === '/') response.writeHead(200, { 'content-type': type }).end('<!doctype html>');
  else if (!file || !existsSync(file)) response.writeHead(404).end();
  else createReadStream(file).pipe(response.writeHead(200, { 'content-type': type }));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const browser = await chromium.launch({
  executablePath: job.executable,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
});
const page = await browser.newPage();
page.on('pageerror', (error) => console.error(error.message));
await page.goto(`http://127.0.0.1:${port}/`);
await page.exposeFunction('out', (text: string) => process.stdout.write(text, 'latin1'));
process.stdout.write(`${PAGE_READY}\n`);
const body = job.emulator === 'v86' ? V86 : VMI86;
await page.evaluate(
  `(async () => { const job = ${JSON.stringify(job)}; globalThis.type = await (async () => {${body}})(); })()`,
);
process.stdin.on('data', (data: Buffer) => {
  const text = data.toString('latin1');
  page.evaluate(`globalThis.type(${JSON.stringify(text)})`).catch(() => {});
});
// The bench kills this process; Chromium must not outlive it.
process.on('SIGTERM', () => void browser.close().finally(() => process.exit(0)));
process.stdin.on('end', () => void browser.close().finally(() => process.exit(0)));
