/** Instructions as bytes, for kernels of a few of them (kernels.ts). */

export type Code = readonly (number | number[])[];

/** Little-endian. */
export const dword = (value: number): number[] => [0, 8, 16, 24].map((at) => (value >>> at) & 0xff);

const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
type Register = (typeof REGISTERS)[number];

export const CLI = 0xfa;
export const HLT = 0xf4;
export const RDTSC = [0x0f, 0x31];
export const WRMSR = [0x0f, 0x30];
export const RDMSR = [0x0f, 0x32];
export const CPUID = [0x0f, 0xa2];
export const IN_EAX_DX = 0xed;

export const mov = (register: Register, value: number): number[] => [
  0xb8 + REGISTERS.indexOf(register),
  ...dword(value),
];

/** mov [address], register */
export const store = (address: number, register: Register): number[] => [
  ...[0x89, 0x05 | (REGISTERS.indexOf(register) << 3)],
  ...dword(address),
];

export const writeMsr = (index: number, low: number, high = 0): number[] => [
  ...mov('ecx', index),
  ...mov('eax', low),
  ...mov('edx', high),
  ...WRMSR,
];

/** Runs code so many times; for EBP, which counts, it must be as it was. */
export const repeat = (times: number, ...code: Code): number[] => {
  const body = code.flat();
  // dec ebp; jnz body
  return [...mov('ebp', times), ...body, 0x4d, 0x0f, 0x85, ...dword(-(body.length + 7))];
};
