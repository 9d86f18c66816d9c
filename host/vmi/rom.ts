/**
 * The VMI option ROM, built from the table of calls: header, PCI data structure, PnP expansion
 * header (PCI Firmware Specification 3.0 5.1, Plug and Play BIOS Specification 1.0A 3.2), licence,
 * the two entry points, and a routine for each call. All of it is position independent 32-bit code
 * but for what a BIOS enters at offset 3.
 */
import { CALLS, MAKER, PRODUCT, type Answer, type Call } from './calls';
import type { VmiOptions } from './options';

/** Where the ROM is, in guest physical memory: a 2 KiB boundary of C0000h to DFFFFh. */
export const ROM_ADDRESS = 0xc8000;
/** A page, so that no other ROM shares its protection. */
export const ROM_SIZE = 0x1000;

export const API_MAJOR = 3;
export const API_MINOR = 0;
const ROM_MAJOR = 1;
const ROM_MINOR = 0;

const VENDOR = 0x15ad;
const DEVICE = 0x0801;
/** Base class 05h: memory controller; subclass 80h: other. */
const CLASS_MEMORY = 0x05;
const SUBCLASS_OTHER = 0x80;
/** Code type of ROM images for PC-AT compatibles, and the mark of the last image. */
const LAST_IMAGE = 0x80;

const HEADER_SIGNATURE = 0xaa55;
const VROM_SIGNATURE = 0x696d5663; // "cVmi"
const ENTRY_INIT = 0x80;
const ENTRY_RELOCATION = 0x88;
const CODE = 0x90;
const PCI = 0xe0;
const PNP = 0x100;
const STRINGS = 0x120;
const ANSWERS = 0x180;
const ROUTINES = 0x200;
const ROUTINE_SIZE = 8;

/** Only these two words of the licence make Linux use a ROM. */
const LICENSE = 'GPL v2';

/** Relocation types as GetRelocationInfo gives them in DL. */
export const RELOCATION: Record<Answer, number> = { NONE: 0, CALL: 1, NOP: 3 };

/** Offset in the ROM of a call's routine. */
export function routineOffset(call: Call): number {
  return ROUTINES + call.number * ROUTINE_SIZE;
}

/** The call whose routine begins at a physical address. */
export function callAt(physical: number): Call | undefined {
  const offset = physical - ROM_ADDRESS - ROUTINES;
  if (offset < 0 || offset % ROUTINE_SIZE) return undefined;
  const call = CALLS[offset / ROUTINE_SIZE];
  return call?.served === 'nobody' ? undefined : call;
}

/** The answer that the guest gets, given what is offered. */
export function answerOf({ answer, otherwise }: Call, options: VmiOptions = {}): Answer {
  return otherwise && options[otherwise.without] === false ? otherwise.answer : answer;
}

export function buildRom(options: VmiOptions = {}): Uint8Array {
  const rom = new Uint8Array(ROM_SIZE);
  const view = new DataView(rom.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const put = (at: number, bytes: readonly number[]) => rom.set(bytes, at);
  let strings = STRINGS;
  const string = (text: string): number => {
    const at = strings;
    put(
      at,
      [...text].map((letter) => letter.charCodeAt(0)),
    );
    strings += text.length + 1;
    return at;
  };

  u16(0x00, HEADER_SIGNATURE);
  rom[0x02] = ROM_SIZE / 512;
  put(0x03, [0xcb]); // RETF: a BIOS finds nothing to initialise
  u32(0x08, VROM_SIGNATURE);
  rom[0x0c] = API_MINOR;
  rom[0x0d] = API_MAJOR;
  rom[0x0e] = CALLS.length;
  u32(0x10, 0); // no part of the address space is reserved
  u16(0x16, string(LICENSE));
  u16(0x18, PCI);
  u16(0x1a, PNP);

  put(PCI, [0x50, 0x43, 0x49, 0x52]); // "PCIR"
  u16(PCI + 0x04, VENDOR);
  u16(PCI + 0x06, DEVICE);
  u16(PCI + 0x0a, 0x18);
  put(PCI + 0x0d, [0, SUBCLASS_OTHER, CLASS_MEMORY]); // interface, subclass, class
  u16(PCI + 0x10, ROM_SIZE / 512);
  rom[PCI + 0x12] = ROM_MINOR;
  rom[PCI + 0x13] = ROM_MAJOR;
  rom[PCI + 0x15] = LAST_IMAGE;

  put(PNP, [0x24, 0x50, 0x6e, 0x50, 1, 2]); // "$PnP", revision 1, 32 bytes
  u16(PNP + 0x0e, string(MAKER));
  u16(PNP + 0x10, string(PRODUCT));
  put(PNP + 0x12, [CLASS_MEMORY, SUBCLASS_OTHER, 0]);
  const sum = rom.subarray(PNP, PNP + 32).reduce((total, byte) => total + byte, 0);
  rom[PNP + 9] = -sum & 0xff;

  // VMI_Init: succeeds.
  put(ENTRY_INIT, [0x31, 0xc0, 0xc3]); // xor eax, eax; ret
  const here = CODE + 5;
  // VMI_GetRelocationInfo: EAX is the call's number; EDX:EAX the answer.
  put(ENTRY_RELOCATION, [0xeb, CODE - ENTRY_RELOCATION - 2]); // jmp short
  put(CODE, [
    0xe8, 0, 0, 0, 0, //               call here
    0x59, //                     here: pop ecx
    0x83, 0xf8, CALLS.length, //       cmp eax, CALLS
    0x73, 0x16, //                     jae none
    0x0f, 0xb6, 0x94, 0x01, ...le32(ANSWERS - here), // movzx edx, byte [ecx+eax+ANSWERS-here]
    0x85, 0xd2, //                     test edx, edx
    0x74, 0x0a, //                     jz none
    0x8d, 0x84, 0xc1, ...le32(ROUTINES - here), //      lea eax, [ecx+eax*8+ROUTINES-here]
    0xc3, //                           ret
    0x90, 0x90, //                     align
    0x31, 0xc0, //               none: xor eax, eax
    0x31, 0xd2, //                     xor edx, edx
    0xc3, //                           ret
  ]); // prettier-ignore

  for (const call of CALLS) {
    rom[ANSWERS + call.number] = RELOCATION[answerOf(call, options)];
    // push imm8; vmcall: it returns to the caller. A routine that nobody serves just returns.
    const at = routineOffset(call);
    put(at, call.served === 'nobody' ? [0xc3] : [0x6a, call.number, 0x0f, 0x01, 0xc1]);
  }

  rom[ROM_SIZE - 1] = -rom.reduce((total, byte) => total + byte, 0) & 0xff;
  return rom;
}

function le32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}
