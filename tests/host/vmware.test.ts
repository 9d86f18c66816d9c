import { describe, expect, test } from 'vitest';
import type { FaceName } from '../../host/paravirt/face';
import { CLI, type Code, CPUID, HLT, IN_EAX_DX, mov, repeat, store } from '../lib/instructions';
import { POWER_OFF } from '../lib/kernels';
import { FACE_TIERS, faceMachine, memory, runOut } from './faces';

const MAGIC = 0x564d5868;
const AT = 0x8000;
const REGISTERS = ['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi'] as const;

const stored: Code = REGISTERS.map((register, i) => store(AT + 4 * i, register));

/** What the registers are after the code has run, often enough to be translated. */
async function registersAfter(face: FaceName, jit: boolean, ...code: Code): Promise<number[]> {
  const machine = await faceMachine(face, [CLI, repeat(50, ...code, ...stored), POWER_OFF, HLT], {
    jit,
  });
  expect(runOut(machine)).toBe('poweroff');
  return REGISTERS.map((_, i) => memory(machine).getUint32(AT + 4 * i, true));
}

const backdoor = (command: number, magic = MAGIC): number[] => [
  ...mov('eax', magic),
  ...mov('ebx', 0xffffffff),
  ...mov('ecx', command),
  ...mov('edx', 0x5658),
  ...mov('esi', 0x11111111),
  ...mov('edi', 0x22222222),
  IN_EAX_DX,
];
const REST = [0x11111111, 0x22222222];

describe.each(FACE_TIERS)('the VMware backdoor in the %s', (_tier, jit) => {
  test('GETVERSION answers with the magic number', async () => {
    expect(await registersAfter('vmware', jit, backdoor(10))).toEqual([
      6,
      MAGIC,
      2,
      0x5658,
      ...REST,
    ]);
  });

  test('GETHZ gives the counter in EBX:EAX and the bus in ECX', async () => {
    expect(await registersAfter('vmware', jit, backdoor(45))).toEqual([
      ...[1e9, 0, 1e9, 0x5658],
      ...REST,
    ]);
  });

  test('GETVCPU_INFO shows no x2APIC', async () => {
    const [eax] = await registersAfter('vmware', jit, backdoor(68));
    expect(eax).toBe(0);
  });

  test.each([
    ['an unknown command', backdoor(91), 91],
    ['no magic number', backdoor(10, MAGIC + 1), 10],
  ])('%s: -1, and nothing else changes', async (_name, code, command) => {
    expect(await registersAfter('vmware', jit, code)).toEqual([
      ...[0xffffffff, 0xffffffff, command, 0x5658],
      ...REST,
    ]);
  });

  test('a narrow IN is none', async () => {
    const code = [...backdoor(10).slice(0, -1), 0xec]; // in al, dx
    const [eax, ebx] = await registersAfter('vmware', jit, code);
    expect([eax, ebx]).toEqual([(MAGIC | 0xff) >>> 0, 0xffffffff]);
  });

  test.each(['none', 'kvm', 'vmi'] as const)('is not there with %s', async (face) => {
    expect(await registersAfter(face, jit, backdoor(10))).toEqual([
      ...[0xffffffff, 0xffffffff, 10, 0x5658],
      ...REST,
    ]);
  });

  test('its leaves: signature, frequencies, zeros between, the processor beyond', async () => {
    const cpuid = async (leaf: number): Promise<number[]> =>
      (await registersAfter('vmware', jit, mov('eax', leaf), CPUID)).slice(0, 4);
    const text = (leaf: number[]): string =>
      Buffer.from(Uint32Array.from(leaf.slice(1)).buffer).toString('latin1');
    const first = await cpuid(0x40000000);
    expect(first[0]).toBe(0x40000010);
    expect(text(first)).toBe('VMwareVMware');
    expect(await cpuid(0x40000001)).toEqual([0, 0, 0, 0]);
    expect(await cpuid(0x40000010)).toEqual([1e6, 1e6, 0, 0]);
    expect(await cpuid(0x40000011)).toEqual(await cpuid(2));
    expect((await cpuid(1))[2]! >>> 31).toBe(1);
  });
});

test('calls are counted', async () => {
  const code = [CLI, backdoor(45), backdoor(45), backdoor(10), backdoor(91), POWER_OFF, HLT];
  const machine = await faceMachine('vmware', code);
  runOut(machine);
  expect(machine.stats()['paravirt']).toEqual({
    face: 'vmware',
    calls: { GETHZ: 2, GETVERSION: 1, 'unknown command': 1 },
    hooks: { 'time.get_tsc_khz': 2 },
  });
});

test.each(FACE_TIERS)('no hypervisor shows with none and vmi in the %s', async (_tier, jit) => {
  for (const face of ['none', 'vmi'] as const) {
    const [, , ecx] = await registersAfter(face, jit, mov('eax', 1), CPUID);
    expect(ecx! >>> 31).toBe(0);
    const first = await registersAfter(face, jit, mov('eax', 0x40000000), CPUID);
    expect(first).toEqual(await registersAfter(face, jit, mov('eax', 2), CPUID));
  }
});
