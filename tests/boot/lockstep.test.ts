// Debian's kernel in the interpreter and in the translator side by side, from unpacking itself on:
// after every thousand instructions both must be alike. What to do when they are not:
// docs/debugging.md.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Machine } from '../../host/machine';
import { coreBytes, coreModule } from '../lib/tiers';
import { lockstep, type LockstepOptions } from '../lib/lockstep';
import { COMMAND_LINE, guest } from './guest';

const VARIANTS: Record<string, Partial<LockstepOptions>> = {
  'as users run it': { span: 200_000_000 },
  'translating early, few regions at a time, general conditions': {
    span: 40_000_000,
    fused: false,
    translator: { heatLimit: 50, regions: 300, tailCalls: false },
  },
};

describe.skipIf(!guest)('lockstep of interpreter and translator', () => {
  it('with translations of an earlier run', async () => {
    const span = 60_000_000;
    const image = {
      kernel: readFileSync(guest!.kernel),
      initrd: readFileSync(guest!.initrd),
      commandLine: COMMAND_LINE,
      memory: 64 * 2 ** 20,
    };
    const machine = await Machine.create({
      ...image,
      core: coreModule(),
      coreBytes: coreBytes(),
      clock: 'virtual',
      hostNow: () => performance.now() * 1e6,
      translations: { keep: true },
    });
    let end = Infinity;
    machine.onSerial = () => (end = Math.min(end, machine.cpu.retired() + span));
    while (machine.cpu.retired() < end) machine.runSlice(end);
    const divergence = await lockstep({
      ...image,
      core: coreBytes(),
      translations: machine.translations(),
      span,
      step: 1000,
    });
    if (divergence) expect.fail(divergence.report);
  });

  it.each(Object.entries(VARIANTS))('%s', async (_, variant) => {
    const divergence = await lockstep({
      core: coreBytes(),
      kernel: readFileSync(guest!.kernel),
      initrd: readFileSync(guest!.initrd),
      commandLine: COMMAND_LINE,
      memory: 64 * 2 ** 20,
      step: 1000,
      say: (text) => console.log(`lockstep: ${text}`),
      ...variant,
    });
    if (divergence) expect.fail(divergence.report);
  });
});
