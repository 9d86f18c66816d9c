/**
 * VMware's backdoor: IN EAX, DX at port 5658h with a magic number in EAX is a call, its number in
 * ECX, answers in EAX, EBX, ECX and EDX (Linux's arch/x86/kernel/cpu/vmware.c and asm/vmware.h).
 *
 * Served are the calls that Linux makes. Any other says -1 and changes nothing else, so does an
 * IN without the magic number: nobody is at the port.
 */

import type { PortHandler } from '../bus';
import type { FaceParts } from '../paravirt/face';

export const BACKDOOR_PORT = 0x5658;
export const BACKDOOR_MAGIC = 0x564d5868;

const CMD_GETVERSION = 10;
const CMD_GETHZ = 45;
const CMD_GETVCPU_INFO = 68;

const NAMES: Record<number, string> = {
  [CMD_GETVERSION]: 'GETVERSION',
  [CMD_GETHZ]: 'GETHZ',
  [CMD_GETVCPU_INFO]: 'GETVCPU_INFO',
};

/** Of the interface, and the product: a server. */
const VERSION = 6;
const PRODUCT = 2;

const NOTHING = 0xffffffff;

export class Backdoor implements PortHandler {
  readonly name = 'backdoor';
  readonly widest = 4;

  constructor(private readonly parts: FaceParts) {}

  /** The result becomes EAX; the other registers are changed here. */
  read(_port: number, size: number): number {
    const { counts, cpu } = this.parts;
    if (size !== 4 || cpu.register('eax') !== BACKDOOR_MAGIC) return NOTHING >>> (32 - 8 * size);
    // The upper half of ECX belongs to calls that are not served.
    const command = cpu.register('ecx') & 0xffff;
    counts.call(NAMES[command] ?? 'unknown command');
    switch (command) {
      case CMD_GETVERSION:
        cpu.setRegister('ebx', BACKDOOR_MAGIC);
        cpu.setRegister('ecx', PRODUCT);
        return VERSION;
      case CMD_GETHZ:
        return this.frequency();
      case CMD_GETVCPU_INFO:
        return 0; // no x2APIC
      default:
        return NOTHING;
    }
  }

  write(): void {}

  /** EBX:EAX the counter's, ECX the local APIC's, whose timer counts the counter's ticks. */
  private frequency(): number {
    const { counts, cpu, time } = this.parts;
    counts.hook('time.get_tsc_khz');
    const hz = time.get_tsc_khz() * 1000;
    cpu.setRegister('ebx', Math.floor(hz / 2 ** 32));
    cpu.setRegister('ecx', hz);
    return hz % 2 ** 32;
  }
}
