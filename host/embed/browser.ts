/** The package in a browser. */

import { BrowserPlatform } from '../platform/browser';
import { create } from './create';
import type { CreateOptions, VirtualMachine } from './types';

/**
 * Makes a PC. Resolves when its images are loaded; `run()` starts it.
 * @throws VmError `option`, `load`, `image`, `memory`, `unsupported` or `worker`: the message says
 *   what to do
 */
export function createMachine(options: CreateOptions): Promise<VirtualMachine> {
  return create(options, {
    platform: () => new BrowserPlatform(),
    core: new URL('../core.wasm', import.meta.url),
    startWorker,
  });
}

/** Bundlers know `new Worker(new URL(...))` in exactly this shape, and take the script along. */
function startWorker(): URL | object {
  const here = new URL(import.meta.url);
  // Of another origin (a CDN) a worker cannot be started directly; the platform has a way. Bundlers
  // that put a file: URL here have taken the script along.
  if (here.protocol.startsWith('http') && here.origin !== globalThis.location?.origin) {
    return new URL(here.href.replace(/[^/]*$/, 'worker.js'));
  }
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

export { VmError, type VmErrorCode } from './errors';
export type * from './types';
