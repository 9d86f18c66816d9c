// Guests of a few bytes: multiboot ELF images made of hand-assembled code.

const LOAD_ADDRESS = 0x100000;
const CODE_OFFSET = 0x60;

const le32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
];

/** An ELF of one segment; `code` starts with the processor as multiboot leaves it. */
export function multiboot(code: number[]): Uint8Array {
  const magic = 0x1badb002;
  const header = [...le32(magic), ...le32(0), ...le32(-magic >>> 0)];
  const size = CODE_OFFSET + header.length + code.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const halves = [2, 3]; // ET_EXEC, EM_386
  halves.forEach((half, i) => view.setUint16(16 + i * 2, half, true));
  view.setUint32(20, 1, true);
  view.setUint32(24, LOAD_ADDRESS + CODE_OFFSET + header.length, true);
  view.setUint32(28, 52, true);
  view.setUint16(40, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, 1, true);
  const segment = [1, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 7, 0x1000];
  segment.forEach((word, i) => view.setUint32(52 + i * 4, word, true));
  bytes.set([...header, ...code], CODE_OFFSET);
  return bytes;
}

/** mov dx, 3f8h; then mov al, c; out dx, al for each character. */
export function print(text: string): number[] {
  return [0x66, 0xba, 0xf8, 0x03, ...[...text].flatMap((c) => [0xb0, c.charCodeAt(0), 0xee])];
}

/** cli; hlt: nothing can ever wake it. */
export const HALT_FOR_EVER = [0xfa, 0xf4];
/** Loads an IDT of no entries and raises #UD: triple fault. */
export const TRIPLE_FAULT = [
  ...[0x6a, 0x00, 0x6a, 0x00], // push 0; push 0: limit 0, base 0
  ...[0x0f, 0x01, 0x1c, 0x24], // lidt [esp]
  ...[0x0f, 0x0b], //             ud2
];
/** jmp to itself. */
export const SPIN = [0xeb, 0xfe];
/** Jumps to where there is neither memory nor device. */
export const JUMP_TO_NOWHERE = [0xb8, ...le32(0xdeadbeef), 0xff, 0xe0];
/** Polls COM1 and sends back what it reads, for ever. */
export const ECHO = [
  ...[0x66, 0xba, 0xfd, 0x03], // mov dx, 3fdh
  ...[0xec], //                   in al, dx
  ...[0xa8, 0x01], //             test al, 1
  ...[0x74, 0xfb], //             jz back to in
  ...[0x66, 0xba, 0xf8, 0x03], // mov dx, 3f8h
  ...[0xec, 0xee], //             in al, dx; out dx, al
  ...[0xeb, 0xef], //             jmp to the start
];
/** mov al, 3 (DTR, RTS); out 3fch, al: a UART takes input only with these. */
export const LINE_READY = [0x66, 0xba, 0xfc, 0x03, 0xb0, 0x03, 0xee];
/** mov esp, 200000h: multiboot gives no stack. */
export const STACK = [0xbc, ...le32(0x200000)];

const IDT = 0x300000;
const COUNTER = 0x400000;

/**
 * Code whose #UD goes to `handler` (at most 100 bytes), and then UD2. Multiboot's code segment is
 * selector 10h; the stack has 7 MiB.
 */
function withHandler(handler: number[]): number[] {
  const entry = LOAD_ADDRESS + CODE_OFFSET + 12 + 2; // behind the header and this jump
  return [
    ...[0xeb, handler.length, ...handler], //                  jmp over the handler
    ...[0xbc, ...le32(0xa00000)], //                           mov esp, a00000h
    ...[0xc7, 0x05, ...le32(IDT + 6 * 8), ...le32(0x100000 | (entry & 0xffff))],
    ...[0xc7, 0x05, ...le32(IDT + 6 * 8 + 4), ...le32((entry & 0xffff0000) | 0x8e00)],
    ...[0x68, ...le32(IDT), 0x66, 0x68, 0xff, 0x07], //        push base; push limit
    ...[0x0f, 0x01, 0x1c, 0x24], //                            lidt [esp]
    ...[0x0f, 0x0b], //                                        ud2
  ];
}
/** UD2 whose handler returns to it. */
export const FAULT_FOR_EVER = withHandler([0xcf]);
/** UD2 whose handler is another UD2. */
export const FAULT_IN_FAULT = withHandler([0x0f, 0x0b]);
/** The same UD2 half a million times; only a counter in memory changes. Then it prints. */
export const FAULT_OFTEN = withHandler([
  ...[0xff, 0x05, ...le32(COUNTER)], //                        inc dword [counter]
  ...[0x81, 0x3d, ...le32(COUNTER), ...le32(500_000)], //    cmp dword [counter], 500000
  ...[0x73, 0x01, 0xcf], //                                    jae +1; iret
  ...[...print('done\n'), ...SPIN],
]);
