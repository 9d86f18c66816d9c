// What real kernels make of each face: Debian's own, and a 2.6.32 kernel where there is one.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Program } from '../cli/program';
import { BOOT_LIMIT, bootToPrompt, command, guest } from './guest';

const { VMI86_VMI_KERNEL: oldKernel, VMI86_VMI_INITRD: oldInitrd } = process.env;
const hasOld = Boolean(oldKernel && oldInitrd);
if (!hasOld) {
  console.warn(
    'Boots of a 2.6.32 kernel on the faces are skipped: VMI86_VMI_KERNEL and VMI86_VMI_INITRD name none.',
  );
}

const CLOCK_SOURCE = 'cat /sys/devices/system/clocksource/clocksource0/current_clocksource';

const folder = mkdtempSync(join(tmpdir(), 'vmi86-faces-'));
afterAll(() => rmSync(folder, { recursive: true }));

let program: Program | undefined;
afterEach(() => program?.kill());

interface Statistics {
  interrupts: Record<string, number>;
  devices: Record<string, { reads: number; writes: number }>;
  paravirt: { face: string; hooks: Record<string, number> };
}

/** Debian at its prompt; gives what its kernel has said. */
async function debian(face: string, ...options: string[]): Promise<string> {
  program = await bootToPrompt(['--paravirt', face, ...options]);
  return command(program, 'dmesg');
}

async function poweredOff(stats: string): Promise<Statistics> {
  program!.type('poweroff -f\n');
  expect((await program!.ended).status).toBe(0);
  return JSON.parse(readFileSync(stats, 'utf8')) as Statistics;
}

describe.skipIf(!guest)('Debian', () => {
  it('finds no hypervisor with none', async () => {
    const said = await debian('none');
    expect(said).toContain('Booting paravirtualized kernel on bare hardware');
    expect(said).not.toMatch(/hypervisor|KVM|VMware/i);
    expect(await command(program!, 'grep -c hypervisor /proc/cpuinfo')).toBe('0\n');
  });

  it('runs on kvm: by its clock, in time, ending interrupts in memory', async () => {
    const stats = join(folder, 'kvm.json');
    const said = await debian('kvm', '--stats', stats);
    expect(said).toContain('Hypervisor detected: KVM');
    expect(said).toContain('kvm-clock: Using msrs 4b564d01 and 4b564d00');
    expect(said).toContain('Booting paravirtualized kernel on KVM');
    expect(said).not.toMatch(/\bOops|Call Trace|BUG:|WARNING:|unstable/i);
    expect(await command(program!, CLOCK_SOURCE)).toMatch(/^kvm-clock$/m);
    const date = Number(await command(program!, 'date +%s'));
    expect(Math.abs(date - Date.now() / 1000)).toBeLessThan(5);
    const started = performance.now();
    await command(program!, 'sleep 5');
    const slept = (performance.now() - started) / 1000;
    expect(slept).toBeGreaterThan(4.99);
    expect(slept).toBeLessThan(10); // a busy host answers late
    const { devices, interrupts, paravirt } = await poweredOff(stats);
    expect(paravirt.face).toBe('kvm');
    // All but a few of the local APIC's timer interrupts, and each spares a write.
    const timer = interrupts['236']!;
    expect(paravirt.hooks['apic.eoi']).toBeGreaterThan(0.9 * timer);
    expect(devices['lapic']!.writes).toBeLessThan(2 * timer);
  });

  it('runs on vmware: by the frequency that it is told', async () => {
    const stats = join(folder, 'vmware.json');
    const said = await debian('vmware', '--stats', stats);
    expect(said).toContain('Hypervisor detected: VMware');
    expect(said).toContain('vmware: TSC freq read from hypervisor : 1000.000 MHz');
    expect(said).toContain('vmware: Host bus clock speed read from hypervisor : 1000000000 Hz');
    expect(said).toContain('Booting paravirtualized kernel on VMware hypervisor');
    expect(said).not.toMatch(/\bOops|Call Trace|BUG:|WARNING:|unstable/i);
    expect(await command(program!, CLOCK_SOURCE)).toMatch(/^tsc$/m);
    const { paravirt } = await poweredOff(stats);
    expect(paravirt).toMatchObject({ face: 'vmware', hooks: { 'time.get_tsc_khz': 1 } });
  });
});

describe.skipIf(!hasOld)('Linux 2.6.32', () => {
  async function old(face: string): Promise<string> {
    const files = ['--kernel', oldKernel!, '--initrd', oldInitrd!];
    program = new Program([...files, '--append', 'console=ttyS0', '--paravirt', face]);
    await program.see(/GUEST-READY[^]*# (\x1b\[6n)?$/, BOOT_LIMIT);
    return command(program, 'dmesg');
  }

  it('finds nothing with none', async () => {
    const said = await old('none');
    expect(said).toContain('Booting paravirtualized kernel on bare hardware');
    expect(said).not.toMatch(/KVM|VMI: Found|read from hypervisor/i);
  });

  it('runs on kvm, by the first generation of its clock', async () => {
    const said = await old('kvm');
    expect(said).toMatch(/kvm-clock: cpu 0, msr 0:[0-9a-f]+, boot clock/);
    expect(said).toContain('Booting paravirtualized kernel on KVM');
    expect(said).not.toContain('VMI: Found');
    expect(await command(program!, CLOCK_SOURCE)).toMatch(/^kvm-clock$/m);
  });

  it('runs on vmware, by the frequency that it is told', async () => {
    const said = await old('vmware');
    expect(said).toContain('TSC freq read from hypervisor : 1000.000 MHz');
    expect(said).not.toContain('VMI: Found');
    expect(await command(program!, CLOCK_SOURCE)).toMatch(/^tsc$/m);
  });
});
