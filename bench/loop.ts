// The integer loop: a program of a dozen instructions without an operating system, to see what one
// engine makes of plain arithmetic. Two files are made of the same loop: a multiboot ELF that
// reports over COM1, and an ELF program for Linux that runs on the processor itself.

const ITERATIONS = 100_000_000;
/** In the loop below. */
const INSTRUCTIONS = 8;

export const LOOP_INSTRUCTIONS = ITERATIONS * INSTRUCTIONS;
/** What the program prints when the loop starts and when it is over. */
export const LOOP_STARTED = /S\r?\n/;
export const LOOP_DONE = /D\r?\n/;

const LOAD_ADDRESS = 0x100000;
const EHDR_SIZE = 52;
const PHDR_SIZE = 32;
const CODE_OFFSET = 0x60; // after the headers, before the first kilobytes end, 4-byte aligned

const le32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
];

const LOOP = [
  ...[0xb9, ...le32(ITERATIONS)], //  mov ecx, ITERATIONS
  ...[0x31, 0xc0], //                 xor eax, eax
  ...[0x31, 0xd2], //                 xor edx, edx
  ...[0xbb, ...le32(0x9e3779b9)], //  mov ebx, 9e3779b9h
  // next:
  ...[0x01, 0xd8], //                 add eax, ebx
  ...[0x31, 0xc2], //                 xor edx, eax
  ...[0xc1, 0xca, 0x07], //           ror edx, 7
  ...[0x8d, 0x34, 0x10], //           lea esi, [eax + edx]
  ...[0x21, 0xd6], //                 and esi, edx
  ...[0x01, 0xf3], //                 add ebx, esi
  ...[0x49], //                       dec ecx
  ...[0x75, 0xef], //                 jnz next
];

/** COM1 is programmed for polled output; then S, the loop, D. The end is HLT without interrupts. */
export function multibootLoop(): Uint8Array {
  const print = (text: string): number[] => [
    ...[0x66, 0xba, 0xf8, 0x03], //   mov dx, 3f8h
    ...[...text].flatMap((c) => [0xb0, c.charCodeAt(0), 0xee]), // mov al, c; out dx, al
  ];
  const stop = [0xfa, 0xf4, 0xeb, 0xfc]; // cli; hlt; jmp back to cli
  const magic = 0x1badb002;
  const header = [...le32(magic), ...le32(0), ...le32(-magic >>> 0)];
  return elf([...header, ...print('S\n'), ...LOOP, ...print('D\n'), ...stop], header.length);
}

/** The same through Linux's write(2) and exit(2) system calls. */
export function nativeLoop(): Uint8Array {
  const print = (text: string): number[] => [
    ...[0xb8, ...le32(4)], //         mov eax, __NR_write
    ...[0xbb, ...le32(1)], //         mov ebx, 1
    ...[0x68, ...le32(text.charCodeAt(0) | (text.charCodeAt(1) << 8))], // push text
    ...[0x89, 0xe1], //               mov ecx, esp
    ...[0xba, ...le32(text.length)], // mov edx, length
    ...[0xcd, 0x80], //               int 80h
  ];
  const exit = [0xb8, ...le32(1), 0x31, 0xdb, 0xcd, 0x80];
  return elf([...print('S\n'), ...LOOP, ...print('D\n'), ...exit], 0);
}

/** An i386 ELF executable of one segment that holds its own headers. */
function elf(code: number[], entry: number): Uint8Array {
  const size = CODE_OFFSET + code.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]); // ELF, 32 bits, little-endian, version 1
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 3, true); // EM_386
  view.setUint32(20, 1, true);
  view.setUint32(24, LOAD_ADDRESS + CODE_OFFSET + entry, true);
  view.setUint32(28, EHDR_SIZE, true); // program headers
  view.setUint16(40, EHDR_SIZE, true);
  view.setUint16(42, PHDR_SIZE, true);
  view.setUint16(44, 1, true);
  const segment = [1, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 7, 0x1000];
  segment.forEach((word, i) => view.setUint32(EHDR_SIZE + i * 4, word, true));
  bytes.set(code, CODE_OFFSET);
  return bytes;
}
