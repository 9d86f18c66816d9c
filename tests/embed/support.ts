/** Machines of the built package, for the tests of its interface. */

import { afterEach } from 'vitest';
import type { CreateOptions, VirtualMachine } from '../../host/embed/types';

// What users import: the build, so that worker.js and core.wasm are where they will be.
export const { createMachine, VmError } = (await import(
  new URL('../../dist/node/index.js', import.meta.url).href
)) as typeof import('../../host/embed/node');
export const { V86 } = (await import(
  new URL('../../dist/node/v86.js', import.meta.url).href
)) as typeof import('../../host/embed/v86-node');

const made: VirtualMachine[] = [];

/** A machine of little memory that is gone after the test. */
export async function machineOf(
  kernel: CreateOptions['kernel'],
  options: Omit<CreateOptions, 'kernel'> = {},
): Promise<VirtualMachine> {
  const machine = await createMachine({ kernel, memory: 16, ...options });
  made.push(machine);
  return machine;
}

afterEach(async () => {
  await Promise.all(made.splice(0).map((machine) => machine.destroy()));
});

/** Long enough for a busy machine. */
export const LIMIT = { timeout: 60_000 };
