// The guest on this emulator: both tiers, both paging formats, each platform it can be given.

import { describe, expect, it } from 'vitest';
import { imagePath } from '../../scripts/build-guest.mjs';
import { Program, vmi86 } from '../cli/program.ts';
import { expectGood } from './report.ts';

/** Values of --paravirt, and what the guest then finds. */
const PLATFORMS = [
  ['none', 'bare'],
  ['vmi', 'vmi'],
] as const;
const TIERS = [
  ['JIT', []],
  ['interpreter', ['--no-jit']],
] as const;

const LIMIT = ['--timeout', '240'];
/**
 * The guest counts the interrupts of some milliseconds of real time, and a busy host may run it in
 * none of them. On the virtual clock, below, there is one try.
 */
const REAL_TIME = { retry: 2 };

describe.each(PLATFORMS)('the guest with --paravirt %s', (paravirt, platform) => {
  const common = ['--kernel', imagePath, '--paravirt', paravirt, ...LIMIT];

  describe.each(TIERS)('%s', (_, tier) => {
    it.each([
      ['two-level paging', 'poweroff', '64'],
      ['PAE', 'poweroff nobench pae', '64'],
      ['least memory', 'poweroff nobench', '16'],
      ['no local APIC in use', 'poweroff nobench nolapic', '64'],
    ])('checks every call: %s', REAL_TIME, async (_, append, memory) => {
      const { status, output } = await vmi86(
        ...common,
        ...tier,
        '--append',
        append,
        '--memory',
        memory,
      );
      const report = expectGood(output, platform);
      expect(report.notes).toBe(0);
      expect(status).toBe(0);
    });

    it('checks every call on the virtual clock', async () => {
      const { status, output } = await vmi86(
        ...common,
        ...tier,
        '--append',
        'poweroff nobench',
        '--clock',
        'virtual',
      );
      expectGood(output, platform);
      expect(status).toBe(0);
    });

    it('shuts down, and reboots', async () => {
      const shutdown = await vmi86(...common, ...tier, '--append', 'test=shutdown');
      expect(shutdown.output).toMatch(/trying Shutdown \(\w+\)/);
      expect(shutdown.status).toBe(0);
      for (const [option, how] of [
        ['test=reboot', 0],
        ['test=hard-reboot', 1],
      ] as const) {
        const program = new Program([...common, ...tier, '--append', option]);
        // Twice: the second time it has come up again.
        await program.see(new RegExp(`trying Reboot ${how}[^]*trying Reboot ${how}`), 60);
        program.kill();
      }
    });
  });

  // What the ROM answers NONE to the guest does by itself: the calls count as made only where they are.
  it.runIf(paravirt === 'vmi').each(TIERS)(
    'announces lazy modes where asked: %s',
    REAL_TIME,
    async (_, tier) => {
      const options = ['--vmi', 'no-eager', '--append', 'poweroff nobench'];
      const { status, output } = await vmi86(...common, ...tier, ...options);
      const { rows } = expectGood(output, platform);
      expect(rows.find(({ name }) => name === 'SetLazyMode')!.rom).toBe('call');
      expect(status).toBe(0);
    },
  );

  it('answers what is typed', async () => {
    const program = new Program([...common, '--append', 'nobench']);
    await program.see(/GUEST-READY[^]*guest> $/, 100);
    program.type('help\r');
    await program.see(/poweroff {2}switches the machine off[^]*guest> $/, 20);
    program.type('tiem\b\b\bime\rwhat\r');
    await program.see(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC[^]*what: unknown[^]*guest> $/, 20);
    program.type('calls\r');
    await program.see(/73 {2}SetLazyMode +\w+ +\d+ ok[^]*guest> $/, 20);
    program.type('poweroff\r');
    expect((await program.ended).status).toBe(0);
  });
});
