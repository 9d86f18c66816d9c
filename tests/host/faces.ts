// Machines of a paravirtual face that run a few instructions, in each tier.

import { expect } from 'vitest';
import type { FaceName } from '../../host/paravirt/face';
import { Machine, type MachineOptions } from '../../host/machine';
import { coreBytes, coreModule, translatedInstructions } from '../lib/tiers';
import type { Code } from '../lib/instructions';
import { kernel } from '../lib/kernels';

export const FACE_TIERS = [
  ['interpreter', false],
  ['JIT', true],
] as const;

export interface FaceOptions extends Partial<MachineOptions> {
  jit?: boolean;
}

/** A machine on the virtual clock that has not run yet. */
export function faceMachine(
  paravirt: FaceName,
  code: Code,
  options: FaceOptions = {},
): Promise<Machine> {
  return Machine.create({
    core: coreModule(),
    coreBytes: coreBytes(),
    kernel: kernel(...code),
    memory: 16 * 2 ** 20,
    clock: 'virtual',
    jit: false,
    translator: { heatLimit: 1, batch: 1 },
    hostNow: () => performance.now() * 1e6,
    paravirt,
    ...options,
  });
}

/** Runs to power-off or death, and says which. With a translator, that has had its part. */
export function runOut(machine: Machine): 'poweroff' | 'dead' {
  for (let slices = 0; slices < 500; slices++) {
    const { kind } = machine.runSlice();
    if (kind !== 'poweroff' && kind !== 'dead') continue;
    if (machine.translator && kind === 'poweroff') {
      expect(translatedInstructions(machine.cpu)).toBeGreaterThan(0);
    }
    return kind;
  }
  throw new Error('runs on and on');
}

/** Guest memory as numbers. */
export function memory(machine: Machine): DataView {
  const ram = machine.cpu.ram();
  return new DataView(ram.buffer, ram.byteOffset, ram.length);
}
