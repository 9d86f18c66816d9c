// A Linux kernel built with CONFIG_VMI, of the user's: it finds the ROM, runs on it as without, keeps
// time, and does the same in every tier. VMI86_VMI_KERNEL is its bzImage, VMI86_VMI_INITRD an initial
// root file system that ends in a shell on the serial line.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Machine, type MachineOptions } from '../../host/machine.ts';
import { Program } from '../cli/program.ts';
import { coreBytes, coreModule } from '../lib/tiers.ts';
import { snapshot } from '../lib/snapshot.ts';

const { VMI86_VMI_KERNEL: kernel, VMI86_VMI_INITRD: initrd } = process.env;
const there = kernel !== undefined && initrd !== undefined;
if (!there) {
  console.warn(
    'Boots of a VMI kernel are skipped: VMI86_VMI_KERNEL and VMI86_VMI_INITRD name none.',
  );
}

/**
 * Native timers are calibrated by the host's clock, which a busy host stretches; and what the kernel
 * says late must not stand behind the prompt.
 */
const COMMAND_LINE = 'console=ttyS0 quiet no_timer_check lpj=4000000';
const BOOT_LIMIT = 240;
const PROMPT = /# (\x1b\[6n)?$/;

function start(options: readonly string[], words = ''): Program {
  return new Program([
    ...['--kernel', kernel!, '--initrd', initrd!, '--append', `${COMMAND_LINE} ${words}`.trim()],
    ...options,
  ]);
}

async function toPrompt(options: readonly string[], words = ''): Promise<Program> {
  const program = start(options, words);
  await program.see(/# (\x1b\[6n)?$/, BOOT_LIMIT);
  return program;
}

let serial = 0;

/** Types a command; resolves with what it printed. */
async function command(program: Program, text: string, seconds = 120): Promise<string> {
  const number = ++serial;
  const from = program.output.length;
  program.type(`${text}; echo "end-$((${number}))-"\n`);
  await program.see(new RegExp(`end-${number}-\\r?\\n[^]*${PROMPT.source}`), seconds);
  const output = program.output.slice(from).replaceAll('\r', '');
  return output.slice(output.indexOf('"\n') + 2, output.lastIndexOf(`end-${number}-`));
}

const TIERS = [
  ['JIT', []],
  ['interpreter', ['--no-jit']],
] as const;

describe.runIf(there)('on the VMI ROM', () => {
  describe.each(TIERS)('%s', (_, tier) => {
    test('the kernel finds it, uses it, and keeps time by it', async () => {
      const program = await toPrompt(['--paravirt', 'vmi', ...tier]);
      const log = await command(program, 'dmesg');
      expect(log).toMatch(/VMI: Found vmi86 WebAssembly hypervisor, API version 3\.0/);
      expect(log).toMatch(/Booting paravirtualized kernel on vmi/);
      expect(log).not.toMatch(/VMI:.*(mismatched|unknown|Non GPL|Unknown relocation|failed)/i);
      expect(log).not.toMatch(/BUG|Oops|Call Trace/);

      const { output, seconds } = await timed(program, 'sleep 5');
      expect(seconds).toBeGreaterThan(4.95);
      expect(output).toBe('');
      // By the guest's clock, to 1 %.
      const uptime = await command(program, 'cat /proc/uptime; sleep 5; cat /proc/uptime');
      const [before, after] = uptime.split('\n').map((line) => Number(line.split(' ')[0]));
      expect(after! - before!).toBeGreaterThan(4.95);
      expect(after! - before!).toBeLessThan(5.05);

      const date = Number(await command(program, 'date +%s'));
      expect(Math.abs(date - Date.now() / 1000)).toBeLessThan(5);

      const interrupts = async () =>
        (await command(program, 'cat /proc/interrupts'))
          .split('\n')
          .filter((line) => /^ *(0|LOC):/.test(line))
          .reduce((sum, line) => sum + Number(/: *(\d+)/.exec(line)![1]), 0);
      const first = await interrupts();
      await command(program, 'sleep 1');
      expect((await interrupts()) - first).toBeGreaterThan(5);
      program.type('poweroff -f\n');
      expect((await program.ended).status).toBe(0);
    });
  });

  test('2.6.22 and later: the timer is clock source and clock event', async (context) => {
    const program = await toPrompt(['--paravirt', 'vmi']);
    const log = await command(program, 'dmesg');
    const folder = '/sys/devices/system/clocksource/clocksource0';
    const source = await command(program, `cat ${folder}/current_clocksource`);
    program.kill();
    const version = /Linux version 2\.6\.(\d+)/.exec(log);
    if (!version || Number(version[1]) < 22) context.skip('an older kernel');
    expect(log).toMatch(/vmi: registering clock event/);
    expect(log).toMatch(/vmi: registering clock source khz=1000000/);
    // Up to 2.6.24 there is a space behind it.
    expect(source).toMatch(/^vmi-timer ?$/m);
  });
});

async function timed(program: Program, text: string): Promise<{ output: string; seconds: number }> {
  const from = performance.now();
  const output = await command(program, text);
  return { output, seconds: (performance.now() - from) / 1000 };
}

/** What a program prints that does not depend on time or on the platform. */
const USERLAND = [
  'uname -srm',
  'cat /proc/filesystems',
  'ls -l /bin | md5sum',
  'echo $((12345 * 6789))',
  "awk 'BEGIN { for (i = 1; i < 2000; i++) x += 1 / i; print x }'",
  'seq 1 2000 | sort -r | md5sum',
  'dd if=/dev/zero bs=4096 count=200 2>/dev/null | sha256sum',
  'for i in 1 2 3 4 5 6 7 8; do (exit $i); echo $?; done',
].join('; ');

test.runIf(there)('prints the same with the ROM and without, and with parts left out', async () => {
  const printed: Record<string, string> = {};
  for (const options of [
    ['--paravirt', 'vmi'],
    ['--paravirt', 'none'],
    ['--vmi', 'no-spaces'],
    ['--vmi', 'no-timer'],
    ['--vmi', 'no-delay'],
    ['--vmi', 'no-eager'],
    ['--vmi', 'no-direct'],
    ['--vmi', 'no-spaces,no-timer,no-delay,no-eager,no-direct', '--no-jit'],
  ]) {
    const program = await toPrompt([...options, '--clock', 'virtual']);
    printed[options.join(' ')] = await command(program, USERLAND);
    const log = await command(program, 'dmesg');
    program.kill();
    expect(/VMI: Found/.test(log)).toBe(!options.includes('none'));
    expect(/vmi: registering clock event|VMI timer cycles/.test(log)).toBe(
      !options.includes('none') && !options.some((word) => word.includes('no-timer')),
    );
  }
  const [first, ...others] = Object.values(printed);
  expect(first).toContain('83810205');
  for (const other of others) expect(other).toBe(first);
});

test
  .runIf(there)
  .each([
    'vmi=disable_timer',
    'vmi=disable_pge',
    'vmi=disable_pse',
    'vmi=disable_sep',
    'vmi=disable_tsc',
    'vmi=disable_mtrr',
    'noapic nolapic acpi=off',
  ])('boots with %s', async (words) => {
  const program = await toPrompt(['--clock', 'virtual'], words);
  const log = await command(program, 'dmesg; /bin/true; sleep 1');
  program.kill();
  expect(log).toMatch(/Booting paravirtualized kernel on vmi/);
  expect(log).not.toMatch(/BUG|Oops/);
});

test.runIf(there).each([64, 1200])('boots with %i MiB', async (memory) => {
  const program = await toPrompt(['--clock', 'virtual', '--memory', String(memory)]);
  const total = await command(program, 'head -n 1 /proc/meminfo');
  program.kill();
  const kib = Number(/MemTotal: +(\d+) kB/.exec(total)![1]);
  // Without CONFIG_HIGHMEM a kernel uses what it can map.
  expect(kib).toBeGreaterThan(Math.min(memory, 860) * 1024 * 0.8);
});

// --- Every tier the same ---------------------------------------------------------------------------

/** Instructions between two looks at whether the prompt is there. */
const STEP = 20_000_000;

interface AtPrompt {
  state: Map<string, string>;
  output: string;
}

async function atPrompt(options: Partial<MachineOptions>): Promise<AtPrompt> {
  const machine = await Machine.create({
    core: coreModule(),
    coreBytes: coreBytes(),
    kernel: readFileSync(kernel!),
    initrd: readFileSync(initrd!),
    commandLine: COMMAND_LINE,
    memory: 128 << 20,
    clock: 'virtual',
    hostNow: () => performance.now() * 1e6,
    ...options,
  });
  let output = '';
  machine.onSerial = (bytes) => (output += Buffer.from(bytes).toString('latin1'));
  for (let to = STEP; !PROMPT.test(output); to += STEP) {
    if (to > 100 * STEP) throw new Error(`no prompt:\n${output.slice(-1000)}`);
    while (machine.cpu.retired() < to) {
      const { kind } = machine.runSlice(to);
      if (kind !== 'running') throw new Error(`${kind}:\n${output.slice(-1000)}`);
      // A worker of vitest that never turns is taken for dead.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { state: snapshot(machine), output };
}

test.runIf(there)(
  'does the same, instruction by instruction, in every tier',
  async () => {
    const interpreted = await atPrompt({ paravirt: 'vmi', jit: false });
    for (const options of [
      { jit: true },
      { jit: true, vmi: { direct: false } },
      { jit: true, vmi: { spaces: false } },
      { jit: false, vmi: { spaces: false } },
    ]) {
      const other = await atPrompt({ paravirt: 'vmi', ...options });
      expect({ options, output: other.output }).toEqual({ options, output: interpreted.output });
      expect([options, other.state]).toEqual([options, interpreted.state]);
    }
  },
  900_000,
);
