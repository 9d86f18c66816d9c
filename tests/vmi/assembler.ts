/** The few i386 instructions that the guests of these tests need, with labels. */
import type { RegisterName } from '../../host/state.ts';

export const REGISTERS: readonly RegisterName[] = [
  'eax',
  'ecx',
  'edx',
  'ebx',
  'esp',
  'ebp',
  'esi',
  'edi',
];

/** Little-endian. */
export const dword = (value: number): number[] => [0, 8, 16, 24].map((at) => (value >>> at) & 0xff);
const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];

/** A place: an address, or a label's name. */
export type Target = number | string;

interface Fixup {
  at: number;
  label: string;
  relative: boolean;
}

export class Assembler {
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];

  constructor(readonly origin: number) {}

  get here(): number {
    return this.origin + this.#bytes.length;
  }

  /** Bytes as they are. */
  emit(...code: (number | readonly number[])[]): this {
    for (const part of code) {
      if (typeof part === 'number') this.#bytes.push(part);
      else this.#bytes.push(...part);
    }
    return this;
  }

  label(name: string): this {
    if (this.#labels.has(name)) throw new RangeError(`label ${name} twice`);
    this.#labels.set(name, this.here);
    return this;
  }

  addressOf(label: string): number {
    const address = this.#labels.get(label);
    if (address === undefined) throw new RangeError(`no label ${label}`);
    return address;
  }

  #place(target: Target, relative: boolean): this {
    if (typeof target === 'number') {
      return this.emit(dword(relative ? target - (this.here + 4) : target));
    }
    this.#fixups.push({ at: this.#bytes.length, label: target, relative });
    return this.emit(0, 0, 0, 0);
  }

  /** The address as a word. */
  emitAddress(target: Target): this {
    return this.#place(target, false);
  }
  call(target: Target): this {
    return this.emit(0xe8).#place(target, true);
  }
  jump(target: Target): this {
    return this.emit(0xe9).#place(target, true);
  }
  /** Jcc by its condition number: 4 is JE, 5 is JNE. */
  jumpIf(condition: number, target: Target): this {
    return this.emit(0x0f, 0x80 + condition).#place(target, true);
  }
  /** call [pointer] */
  callThrough(pointer: number): this {
    return this.emit(0xff, 0x15, dword(pointer));
  }
  mov(register: RegisterName, value: Target): this {
    return this.emit(0xb8 + REGISTERS.indexOf(register)).#place(value, false);
  }
  /** mov [address], register */
  store(address: number, register: RegisterName): this {
    return this.emit(0x89, 0x05 | (REGISTERS.indexOf(register) << 3), dword(address));
  }
  /** mov register, [address] */
  load(register: RegisterName, address: number): this {
    return this.emit(0x8b, 0x05 | (REGISTERS.indexOf(register) << 3), dword(address));
  }
  /** mov dword [address], value */
  set(address: number, value: Target): this {
    return this.emit(0xc7, 0x05, dword(address)).#place(value, false);
  }
  push(value: Target): this {
    return this.emit(0x68).#place(value, false);
  }
  inc(address: number): this {
    return this.emit(0xff, 0x05, dword(address));
  }
  dec(address: number): this {
    return this.emit(0xff, 0x0d, dword(address));
  }
  /** mov dx, port; mov al, value; out dx, al */
  out(port: number, value: number): this {
    return this.emit(0x66, 0xba, word(port), 0xb0, value, 0xee);
  }
  /** mov ax, selector; mov segment, ax: ES 0, SS 2, DS 3, FS 4, GS 5 */
  loadSegment(segment: number, selector: number): this {
    return this.emit(0x66, 0xb8, word(selector), 0x8e, 0xc0 | (segment << 3));
  }
  jumpFar(selector: number, target: Target): this {
    return this.emit(0xea).#place(target, false).emit(word(selector));
  }

  finish(): Uint8Array {
    for (const { at, label, relative } of this.#fixups) {
      const address = this.addressOf(label);
      const value = relative ? address - (this.origin + at + 4) : address;
      dword(value).forEach((byte, i) => (this.#bytes[at + i] = byte));
    }
    return Uint8Array.from(this.#bytes);
  }
}

export const CLI = 0xfa;
export const HLT = 0xf4;
export const NOP = 0x90;
export const IRET = 0xcf;
export const RET = 0xc3;
export const PUSHA = 0x60;
export const POPA = 0x61;
export const PUSHF = 0x9c;
export const POPF = 0x9d;
export const EQUAL = 4;
export const NOT_EQUAL = 5;
