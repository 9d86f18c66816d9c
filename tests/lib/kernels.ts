/** Kernels of a few instructions, for tests that want a guest and not an operating system. */

const LOAD = 0x100000;

/** A multiboot kernel that is nothing but code. */
export function kernel(...code: (number | number[])[]): Uint8Array {
  const bytes = code.flat();
  const file = new Uint8Array(32 + bytes.length);
  const view = new DataView(file.buffer);
  const flags = 0x10000;
  [0x1badb002, flags, -(0x1badb002 + flags), LOAD, LOAD, 0, 0, LOAD + 32].forEach((value, i) =>
    view.setUint32(4 * i, value, true),
  );
  file.set(bytes, 32);
  return file;
}

const outByte = (port: number, value: number): number[] => [
  ...[0x66, 0xba, port & 0xff, port >> 8], // mov dx, port
  ...[0xb0, value], // mov al, value
  0xee, // out dx, al
];

/** Sends text on the first serial port. */
export const say = (text: string): number[] =>
  [...text].flatMap((c) => outByte(0x3f8, c.charCodeAt(0)));

/** Enters S5 through the ACPI registers. */
export const POWER_OFF = [
  ...[0x66, 0xba, 0x04, 0x06], // mov dx, 604h
  ...[0x66, 0xb8, 0x00, 0x20], // mov ax, 2000h
  ...[0x66, 0xef], // out dx, ax
];

export const TRIPLE_FAULT = [0x0f, 0x0b]; // ud2, without an IDT

/** A loop without an end. */
export const FOREVER = [0xeb, 0xfe];

/** Waits for bytes on the serial line and sends each back, until it was a Q. */
export const ECHO_UNTIL_Q = [
  ...outByte(0x3fc, 0x03), // DTR and RTS: the far end may send
  // next:
  ...[0x66, 0xba, 0xfd, 0x03], // mov dx, 3fdh
  0xec, //                        in al, dx
  ...[0xa8, 0x01], //             test al, 1
  ...[0x74, 0xf7], //             jz next
  ...[0x66, 0xba, 0xf8, 0x03], // mov dx, 3f8h
  0xec, //                        in al, dx
  0xee, //                        out dx, al
  ...[0x3c, 0x51], //             cmp al, 'Q'
  ...[0x75, 0xed], //             jne next
];

/** Puts text into the first row of the text screen, light grey on black. */
export const show = (text: string): number[] =>
  [...text].flatMap((c, i) => {
    const at = 0xb8000 + 2 * i;
    const address = [at & 0xff, (at >> 8) & 0xff, at >> 16, 0];
    return [0x66, 0xc7, 0x05, ...address, c.charCodeAt(0), 0x07]; // mov word [at], 07xxh
  });
