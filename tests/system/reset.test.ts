// RESET (SDM vol. 3A 9.1): what the processor forgets.

import { expect, it } from 'vitest';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { bareCpu, enterFlat } from '../lib/tiers.ts';

const CODE = 0x10000;

it('forgets an x87 exception that waits', async () => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  const run = (code: string) => {
    cpu.ram().set(Buffer.from(code, 'hex'), CODE);
    cpu.codeWritten(CODE, CODE + 0x100);
    enterFlat(cpu, CODE);
    return cpu.run(100);
  };
  // fldz; fldz; fdivp; hlt: 0/0, which RESET has left unmasked.
  expect(run('d9eed9eedef9f4')).toBe(EXIT_HALT);
  cpu.reset();
  // fld1; hlt: with an exception waiting #MF, and without a table for it no end but shutdown.
  expect(run('d9e8f4')).toBe(EXIT_HALT);
});
