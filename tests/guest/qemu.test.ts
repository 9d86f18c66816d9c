// The guest in QEMU, bare and with a ROM that is not ours: what it says of calls and of address
// spaces is then known to be about the interface and the processor, not about this emulator.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execFileSync } from '../lib/commands.ts';
import { imagePath } from '../../scripts/build-guest.mjs';
import { expectGood } from './report.ts';
import { makeRom } from './rom.ts';

const QEMU = 'qemu-system-i386';
const LIMIT_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'vmi86-guest-'));
const rom = join(folder, 'vmi.rom');
/** Another ROM to try, by its path. */
const other = process.env['VMI86_QEMU_ROM'];

beforeAll(() => writeFileSync(rom, makeRom()));
afterAll(() => rmSync(folder, { recursive: true }));

function hasQemu(): boolean {
  try {
    execFileSync(QEMU, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The serial output of a run that ends by itself. */
function run(append: string, ...args: string[]): Promise<string> {
  const words = ['-m', '64', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'];
  words.push('-no-reboot', '-nodefaults', '-vga', 'std', '-accel', 'tcg');
  words.push('-kernel', imagePath, '-append', append);
  return new Promise((resolve, reject) => {
    execFile(QEMU, [...words, ...args], { timeout: LIMIT_MS }, (error, output) => {
      if (error) reject(new Error(`${error.message}\n${output.slice(-1500)}`));
      else resolve(output);
    });
  });
}

describe.runIf(hasQemu())('the guest in QEMU', () => {
  it.each([
    ['two-level paging', 'poweroff', []],
    ['PAE', 'poweroff nobench pae', []],
    ['no local APIC', 'poweroff nobench', ['-cpu', 'qemu32,-apic']],
  ])('bare, %s', async (_, append, args) => {
    const report = expectGood(await run(append, ...args), 'bare');
    expect(report.notes).toBe(0);
  });

  it.each([
    ['two-level paging', 'poweroff'],
    ['PAE', 'poweroff nobench pae'],
  ])('with a ROM of native instructions, %s', async (_, append) => {
    const output = await run(append, '-option-rom', rom);
    expect(output).toContain(
      'VMI: Found tests native instructions, API version 3.0, ROM version 4.7',
    );
    const { rows } = expectGood(output, 'vmi');
    const answer = (name: string): string => rows.find((row) => row.name === name)!.rom;
    expect(answer('IRET')).toBe('call');
    expect(answer('IODelay')).toBe('nop');
    expect(answer('APICRead')).toBe('none');
    // Faults of such a ROM are where its instruction is.
    expect(rows.find((row) => row.name === 'IRET')!.rest).toContain('fault in ROM');
  });

  it.runIf(other)('with the ROM of VMI86_QEMU_ROM', async () => {
    for (const append of ['poweroff', 'poweroff nobench pae']) {
      expectGood(await run(append, '-option-rom', other!), 'vmi');
    }
  });

  it.each([[[]], [['-option-rom']]])('ends by Shutdown and Reboot, %j', async (option) => {
    const args = option.length ? [...option, rom] : [];
    const word = option.length ? 'VMI' : 'native';
    expect(await run('test=shutdown', ...args)).toContain(`trying Shutdown (${word})`);
    // -no-reboot makes a reset the end, too.
    expect(await run('test=reboot', ...args)).toContain(`trying Reboot 0 (${word})`);
    expect(await run('test=hard-reboot', ...args)).toContain(`trying Reboot 1 (${word})`);
  });
});

describe.skipIf(hasQemu())('the guest in QEMU', () => {
  it.skip(`is not tried: no ${QEMU} here`);
});
