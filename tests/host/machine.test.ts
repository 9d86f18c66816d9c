import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryDisk } from '../../host/devices/disk';
import { UserError } from '../../host/errors';
import { Machine, type MachineOptions, type Outcome } from '../../host/machine';
import { dword } from '../lib/instructions';
import { kernel } from '../lib/kernels';

const MIB = 1 << 20;

let core: WebAssembly.Module;

beforeAll(() => {
  const file = fileURLToPath(new URL('../../dist/core.wasm', import.meta.url));
  core = new WebAssembly.Module(readFileSync(file));
});

const hostNow = (): number => performance.now() * 1e6;

// Instructions, as bytes.
const CLI = 0xfa;
const STI = 0xfb;
const HLT = 0xf4;
const UD2 = [0x0f, 0x0b];
const out8 = (port: number, value: number): number[] => [
  ...[0x66, 0xba, port & 0xff, port >> 8], // mov dx, port
  ...[0xb0, value], // mov al, value
  0xee, // out dx, al
];
const out16 = (port: number, value: number): number[] => [
  ...[0x66, 0xba, port & 0xff, port >> 8],
  ...[0x66, 0xb8, value & 0xff, value >> 8], // mov ax, value
  ...[0x66, 0xef], // out dx, ax
];
const say = (text: string): number[] => [...text].flatMap((c) => out8(0x3f8, c.charCodeAt(0)));
const POWER_OFF = out16(0x604, 0x2000);

interface Run {
  machine: Machine;
  text: () => string;
  until: (wanted: Outcome['kind']) => Outcome;
}

async function boot(
  image: Uint8Array,
  options: Partial<Omit<MachineOptions, 'core' | 'kernel'>> = {},
): Promise<Run> {
  const machine = await Machine.create({
    core,
    kernel: image,
    memory: 16 * MIB,
    clock: 'virtual',
    jit: false,
    hostNow,
    ...options,
  });
  let text = '';
  machine.onSerial = (bytes) => (text += String.fromCharCode(...bytes));
  return {
    machine,
    text: () => text,
    until: (wanted) => {
      for (let slices = 0; slices < 500; slices++) {
        const outcome = machine.runSlice();
        if (outcome.kind === wanted) return outcome;
        if (outcome.kind === 'poweroff' || outcome.kind === 'dead') return outcome;
      }
      throw new Error(`never ${wanted}`);
    },
  };
}

describe('the end of a machine', () => {
  test('ACPI power-off, after which it stays off and the disk is flushed', async () => {
    const disk = new MemoryDisk(new Uint8Array(64 * 512));
    const { machine, until, text } = await boot(kernel(CLI, say('bye'), POWER_OFF, HLT), { disk });
    expect(until('poweroff')).toEqual({ kind: 'poweroff' });
    expect(text()).toBe('bye');
    expect(disk.flushes).toBe(1);
    expect(machine.runSlice()).toEqual({ kind: 'poweroff' });
  });

  test('a halt with interrupts off is death, with a reason', async () => {
    const { until } = await boot(kernel(CLI, HLT));
    expect(until('dead')).toMatchObject({ kind: 'dead', reason: 'halted with interrupts off' });
  });

  test('so is a triple fault', async () => {
    const { until } = await boot(kernel(UD2));
    expect(until('dead')).toMatchObject({ kind: 'dead', reason: 'triple fault' });
  });

  const resets: [string, number[]][] = [
    ['the keyboard controller', out8(0x64, 0xfe)],
    ['port 92h', out8(0x92, 0x01)],
    ['CF9h', out8(0xcf9, 0x06)],
  ];
  test.each(resets)('a reset through %s starts over', async (_name, code) => {
    const { machine, until, text } = await boot(kernel(CLI, say('R'), code, 0xeb, 0xfe));
    expect(until('reset').kind).toBe('reset');
    expect(until('reset').kind).toBe('reset');
    expect(text()).toBe('RR');
    expect(machine.stats()['resets']).toBe(2);
  });
});

describe('time', () => {
  const mask = [...out8(0x21, 0xff), ...out8(0xa1, 0xff)];

  test('on the host clock an idle guest gives the processor back', async () => {
    const { until } = await boot(kernel(CLI, mask, STI, HLT, CLI, HLT), { clock: 'host' });
    const outcome = until('idle');
    expect(outcome.kind).toBe('idle');
    expect((outcome as { milliseconds: number }).milliseconds).toBeGreaterThan(1);
  });

  test('asking again while the guest halts makes it no more idle', async () => {
    // A timer of 10 ms, masked: the host may doze only when a guest has halted many times.
    const timer = [...out8(0x43, 0x34), ...out8(0x40, 0x9c), ...out8(0x40, 0x2e)];
    const time = hostNow();
    const { machine, until } = await boot(kernel(CLI, mask, timer, STI, HLT, CLI, HLT), {
      clock: 'host',
      hostNow: () => time,
    });
    until('idle');
    for (let again = 0; again < 500; again++) {
      const { milliseconds } = machine.runSlice() as { milliseconds: number };
      expect(milliseconds).toBeLessThan(11);
    }
  });

  test('a guest that only ticks is let sleep longer, housekeeping or not', async () => {
    const IDT = 0x20000;
    const POINTER = 0x1ff00;
    const gate = dword(IDT + 8 * 0x20);
    const at = (offset: number): number[] => [gate[0]! + offset, ...gate.slice(1)];
    const code = [
      ...[CLI, 0xbc, ...dword(0x30000)], // mov esp
      ...[0xe8, ...dword(7)], // call behind the handler
      ...[0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf], // push eax, EOI, pop eax, iret
      ...[0x58, 0x66, 0xa3, ...gate], // pop eax; mov [gate], ax
      ...[0x8c, 0x0d, ...at(2)], // mov [gate + 2], cs
      ...[0x66, 0xc7, 0x05, ...at(4), 0x00, 0x8e], // mov word [gate + 4], an interrupt gate
      ...[0xc1, 0xe8, 0x10, 0x66, 0xa3, ...at(6)], // shr eax, 16; mov [gate + 6], ax
      ...[0x66, 0xc7, 0x05, ...dword(POINTER), 0xff, 0x07],
      ...[0xc7, 0x05, ...dword(POINTER + 2), ...dword(IDT)],
      ...[0x0f, 0x01, 0x1d, ...dword(POINTER)], // lidt
      ...[...out8(0x20, 0x11), ...out8(0x21, 0x20), ...out8(0x21, 4), ...out8(0x21, 1)],
      ...out8(0x21, 0xfe),
      ...[...out8(0x43, 0x34), ...out8(0x40, 0x9c), ...out8(0x40, 0x2e)], // every 10 ms
      STI,
      ...[HLT, 0x41, 0xf6, 0xc1, 0x0f, 0x75, 0xf9], // again: hlt; inc ecx; test cl, 15; jnz again
      ...[0xba, ...dword(15_500), 0x4a, 0x75, 0xfd], // mov edx; dec edx; jnz
      ...[0xeb, 0xef], // jmp again
    ];
    let time = 0;
    const { machine } = await boot(kernel(code), { clock: 'host', hostNow: () => time });
    const sleeps: number[] = [];
    while (time < 10e9) {
      const outcome = machine.runSlice();
      expect(outcome.kind).not.toBe('dead');
      if (outcome.kind !== 'idle') continue;
      sleeps.push((outcome as { milliseconds: number }).milliseconds);
      time += sleeps.at(-1)! * 1e6;
    }
    expect(sleeps[0]).toBeLessThan(11);
    expect(sleeps.at(-1)).toBe(100);
    expect(sleeps.filter((sleep) => sleep === 100).length).toBeGreaterThan(20);
  });

  test('on the virtual clock idle time passes at once', async () => {
    const { machine } = await boot(kernel(CLI, mask, STI, HLT, CLI, HLT));
    for (let slices = 0; slices < 100; slices++) machine.runSlice();
    expect(machine.clock.now()).toBeGreaterThan(1e9);
    expect(machine.cpu.retired()).toBeLessThan(100);
  });

  test('two runs on the virtual clock are the same to the instruction', async () => {
    // Polls the refresh bit of port 61h, counting in a loop between.
    const poll = [
      ...[0xb9, 0x00, 0x04, 0x00, 0x00], // mov ecx, 1024
      ...[0xe4, 0x61], // again: in al, 61h
      ...[0xa8, 0x10], // test al, 10h
      ...[0x75, 0xfa], // jnz again
      ...[0x49], // dec ecx
      ...[0x75, 0xf7], // jnz again
    ];
    const image = kernel(CLI, poll, POWER_OFF, HLT);
    const runs = [];
    for (let i = 0; i < 2; i++) {
      const { machine, until } = await boot(image);
      until('poweroff');
      runs.push([machine.cpu.retired(), machine.clock.now(), machine.deviceState()]);
    }
    expect(runs[0]).toEqual(runs[1]);
  });
});

test('bytes typed at the serial port arrive', async () => {
  const echo = [
    ...out8(0x3fc, 0x0b), // DTR, RTS, OUT2
    ...[0xb9, 0x03, 0x00, 0x00, 0x00], // mov ecx, 3
    ...[0x66, 0xba, 0xfd, 0x03], // again: mov dx, 3FDh
    ...[0xec, 0xa8, 0x01], // in al, dx; test al, 1
    ...[0x74, 0xf7], // jz again
    ...[0x66, 0xba, 0xf8, 0x03], // mov dx, 3F8h
    ...[0xec, 0xfe, 0xc0, 0xee], // in al, dx; inc al; out dx, al
    ...[0x49], // dec ecx
    ...[0x75, 0xec], // jnz again
  ];
  const { machine, until, text } = await boot(kernel(CLI, echo, POWER_OFF, HLT));
  machine.sendSerial(Buffer.from('abc'));
  until('poweroff');
  expect(text()).toBe('bcd');
});

test('the state of all devices is plain data', async () => {
  const { machine, until } = await boot(kernel(CLI, HLT));
  until('dead');
  const state = machine.deviceState();
  expect(structuredClone(state)).toEqual(state);
});

test('memory that is too small or too large is refused, an empty kernel too', async () => {
  const create = (memory: number, image = kernel(HLT)): Promise<Machine> =>
    Machine.create({ core, kernel: image, memory, hostNow });
  await expect(create(8 * MIB)).rejects.toThrow(/^--memory: too small; give 16 or more MiB$/);
  await expect(create(3072 * MIB)).rejects.toThrow(/^--memory: too large; give at most 2816 MiB$/);
  await expect(create(16 * MIB, new Uint8Array(0))).rejects.toThrow(UserError);
  await expect(create(16 * MIB, new Uint8Array(9999))).rejects.toThrow(/^--kernel: is not a Linux/);
});
