/** The package in Node. */

import { NodePlatform } from '../platform/node';
import { create } from './create';
import type { CreateOptions, VirtualMachine } from './types';

/**
 * Makes a PC. Resolves when its images are loaded; `run()` starts it.
 * @throws VmError `option`, `load`, `image`, `memory`, `unsupported` or `worker`: the message says
 *   what to do
 */
export function createMachine(options: CreateOptions): Promise<VirtualMachine> {
  return create(options, {
    platform: () => new NodePlatform(),
    core: new URL('../core.wasm', import.meta.url),
    startWorker: () => new URL('./worker.js', import.meta.url),
  });
}

export { VmError, type VmErrorCode } from './errors';
export type * from './types';
