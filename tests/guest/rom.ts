/**
 * A VMI option ROM for QEMU, made of bytes: every call is the native instruction, at privilege 0.
 * Where the ABI leaves a choice it takes the one that other ROMs at hand do not: IRET and SYSEXIT in
 * their CALL form, NOP relocations, port calls and MSRs supplied, Reboot and Shutdown too. No timer.
 */

const SIZE = 2048;
const INIT = 0x80;
const GET_RELOCATION = 0x88;
const CODE = 0x90;
const CALLS = 74;

const NONE = 0;
const CALL = 1;
const NOP = 3;

/** Code by call number; [] is answered NOP, what is missing NONE. */
const ROUTINES: Record<number, string> = {
  0: '0f a2 c3', // CPUID
  1: '0f 30 c3', // WRMSR
  2: '0f 32 c3', // RDMSR
  3: '0f 01 10 c3', // LGDT [EAX]
  4: '0f 00 d0 c3', // LLDT AX
  5: '0f 01 18 c3', // LIDT [EAX]
  6: '0f 00 d8 c3', // LTR AX
  7: '0f 01 00 c3', // SGDT [EAX]
  8: '31 c0 0f 00 c0 c3', // SLDT EAX
  9: '0f 01 08 c3', // SIDT [EAX]
  10: '31 c0 0f 00 c8 c3', // STR EAX
  // LEA EAX, [EAX+EDX*8]; MOV EDX, [ESP+4]; MOV [EAX], ECX; MOV [EAX+4], EDX
  11: '8d 04 d0 8b 54 24 04 89 08 89 50 04 c3',
  12: '8d 04 d0 8b 54 24 04 89 08 89 50 04 c3',
  13: '8d 04 d0 8b 54 24 04 89 08 89 50 04 c3',
  14: 'c3',
  15: '0f 22 c0 c3', // MOV CR0, EAX and so on
  16: '0f 22 d0 c3',
  17: '0f 22 d8 c3',
  18: '0f 22 e0 c3',
  19: '0f 20 c0 c3',
  20: '0f 20 d0 c3',
  21: '0f 20 d8 c3',
  22: '0f 20 e0 c3',
  23: '0f 09 c3', // WBINVD
  26: '0f 33 c3', // RDPMC
  27: '0f 31 c3', // RDTSC
  28: '0f 06 c3', // CLTS
  29: 'fb c3', // STI
  30: 'fa c3', // CLI
  31: '9c 58 25 00 02 00 00 c3', // PUSHFD; POP EAX; AND EAX, 200h
  32: 'a9 00 02 00 00 74 02 fb c3 fa c3', // TEST EAX, 200h; JZ; STI; RET; CLI; RET
  33: '83 c4 04 cf', // ADD ESP, 4; IRET
  34: '83 c4 04 fb 0f 35', // ADD ESP, 4; STI; SYSEXIT
  35: 'fb f4 c3', // STI; HLT
  36: 'b0 fe e6 64 f4 eb fd', // MOV AL, FEh; OUT 64h, AL; HLT for ever
  // MOV DX, 604h; MOV AX, 2000h; OUT DX, AX; CLI; HLT for ever: the PIIX4 as QEMU places it
  37: '66 ba 04 06 66 b8 00 20 66 ef fa f4 eb fd',
  38: '89 02 c3', // MOV [EDX], EAX
  39: 'c7 01 00 00 00 00 89 51 04 89 01 c3', // not present, then high, then low
  40: 'c3',
  41: 'c3',
  42: 'c3',
  43: 'c3',
  44: '',
  45: 'c3',
  46: '0f 01 38 c3', // INVLPG [EAX]
  // TEST AL, 2; JZ; CR4 without PGE and back; CR3 again
  47: 'a8 02 74 0d 0f 20 e0 89 c2 24 7f 0f 22 e0 0f 22 e2 0f 20 d8 0f 22 d8 c3',
  48: '',
  49: 'ed c3', // IN EAX, DX and so on
  50: 'ec c3',
  51: '66 ed c3',
  52: 'f3 6d c3',
  53: 'f3 6c c3',
  54: 'f3 66 6d c3',
  55: 'ef c3',
  56: 'ee c3',
  57: '66 ef c3',
  58: 'f3 6f c3',
  59: 'f3 6e c3',
  60: 'f3 66 6f c3',
  61: '9c 81 24 24 ff cf ff ff 09 04 24 9d c3', // IOPL in pushed flags
  62: '80 38 00 80 78 5b 00 c3', // reads the first and the last byte of the state
  65: '',
  73: '',
};

const hex = (text: string): number[] =>
  text === '' ? [] : text.split(' ').map((byte) => parseInt(byte, 16));

/** 32-bit little endian. */
const dword = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

/**
 * GetRelocationInfo, at `at`: EAX indexes the table at `table`, an entry is the routine's offset in
 * its low and the type in its high half. Position independent.
 */
function relocationCode(at: number, table: number): number[] {
  const here = at + 6; // what the POP gets
  return [
    ...hex('53 e8 00 00 00 00 5b'), // PUSH EBX; CALL next; POP EBX
    ...hex('31 d2 83 f8'), // XOR EDX, EDX; CMP EAX, count
    CALLS,
    ...hex('73 18'), // JAE none
    ...[...hex('8b 8c 83'), ...dword(table - here)], // MOV ECX, [EBX+EAX*4+table]
    ...hex('89 ca c1 ea 10 0f b7 c1'), // MOV EDX, ECX; SHR EDX, 16; MOVZX EAX, CX
    ...[...hex('8d 84 03'), ...dword(-here)], // LEA EAX, [EBX+EAX-here]
    ...hex('5b c3'), // POP EBX; RET
    ...hex('31 c0 5b c3'), // none: XOR EAX, EAX; POP EBX; RET
  ];
}

/** The ROM's 2 KiB. */
export function makeRom(): Uint8Array {
  const rom = new Uint8Array(SIZE);
  const view = new DataView(rom.buffer);
  let end = CODE;
  const put = (bytes: ArrayLike<number>): number => {
    const at = end;
    rom.set(bytes, at);
    end += bytes.length;
    return at;
  };
  const text = (value: string): number => put(new TextEncoder().encode(`${value}\0`));

  const table = put(new Uint8Array(4 * CALLS));
  for (let call = 0; call < CALLS; call++) {
    const routine = ROUTINES[call];
    const type = routine === undefined ? NONE : routine === '' ? NOP : CALL;
    const at = type === CALL ? put(hex(routine!)) : 0;
    view.setUint32(table + 4 * call, at | (type << 16), true);
  }
  const relocation = put(relocationCode(end, table));
  const license = text('GPL v2');
  const manufacturer = text('tests');
  const product = text('native instructions');

  end = (end + 15) & ~15;
  const pci = put(new TextEncoder().encode('PCIR'));
  view.setUint16(pci + 0x04, 0x15ad, true);
  view.setUint16(pci + 0x06, 0x0801, true);
  view.setUint16(pci + 0x0a, 24, true);
  rom[pci + 0x0f] = 0x05; // memory controller
  view.setUint16(pci + 0x10, SIZE / 512, true);
  rom[pci + 0x12] = 7;
  rom[pci + 0x13] = 4;
  rom[pci + 0x15] = 0x80;
  end += 32;
  const pnp = put(new TextEncoder().encode('$PnP'));
  rom[pnp + 0x04] = 0x10;
  rom[pnp + 0x05] = 2;
  view.setUint16(pnp + 0x0e, manufacturer, true);
  view.setUint16(pnp + 0x10, product, true);
  end += 32;
  if (end > SIZE) throw new Error(`the ROM needs ${end} bytes`);

  rom.set([0x55, 0xaa, SIZE / 512, 0xcb]); // RETF for a BIOS
  rom.set(new TextEncoder().encode('cVmi'), 8);
  rom.set([0, 3], 0x0c);
  view.setUint16(0x16, license, true);
  view.setUint16(0x18, pci, true);
  view.setUint16(0x1a, pnp, true);
  rom.set(hex('31 c0 c3'), INIT); // XOR EAX, EAX; RET
  rom.set([0xe9, ...dword(relocation - (GET_RELOCATION + 5))], GET_RELOCATION);
  rom[SIZE - 1] = -rom.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return rom;
}
