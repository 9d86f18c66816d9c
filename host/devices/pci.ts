/**
 * PCI bus 0 with configuration mechanism 1 (PCI Local Bus Specification 2.1, 3.7.4.1) and the
 * functions without behaviour of their own: the i440FX host bridge (82441FX data sheet, order
 * 290549) and the PIIX4's ISA bridge (82371AB data sheet, order 290562).
 *
 * The PIIX4's routing of INTA to INTD onto ISA lines works and is programmed as firmware would.
 * Not modelled: the bridges' memory attribute and timing registers (kept, without effect).
 */

import type { Interrupts } from '../irq';
import type { PortHandler } from '../bus';

const ADDRESS = 0xcf8;
const ADDRESS_ENABLE = 0x80000000;

const COMMAND = 0x04;
export const COMMAND_IO = 0x01;
export const COMMAND_MASTER = 0x04;
const HEADER_MULTIFUNCTION = 0x80;
const BAR0 = 0x10;
const BAR_IO = 0x01;

/** A function's 256 bytes of configuration space and which bits of them software can change. */
export class PciFunction {
  readonly config = new Uint8Array(256);
  private readonly writable = new Uint8Array(256);
  /** Called after a change, with the first register that was written. */
  onWrite: (register: number, size: number) => void = () => {};

  constructor(
    readonly name: string,
    id: { vendor: number; device: number; revision: number; classCode: number },
  ) {
    this.put(0x00, id.vendor, 2);
    this.put(0x02, id.device, 2);
    this.put(0x08, id.revision | (id.classCode << 8), 4);
  }

  get(register: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (this.config[register + i] ?? 0xff);
    return value;
  }

  /** Sets a register from inside, read-only or not. */
  put(register: number, value: number, size: number): void {
    for (let i = 0; i < size; i++) this.config[register + i] = (value >>> (8 * i)) & 0xff;
  }

  allow(register: number, mask: number, size: number): void {
    for (let i = 0; i < size; i++) this.writable[register + i] = (mask >>> (8 * i)) & 0xff;
  }

  write(register: number, value: number, size: number): void {
    for (let i = 0; i < size; i++) {
      const at = register + i;
      const mask = this.writable[at] ?? 0;
      this.config[at] = (this.config[at]! & ~mask) | ((value >>> (8 * i)) & mask);
    }
    this.onWrite(register, size);
  }

  /** An I/O base address register of a power-of-two size. */
  ioBar(index: number, size: number, base: number): void {
    const register = BAR0 + 4 * index;
    this.put(register, base | BAR_IO, 4);
    this.allow(register, 0xffff & ~(size - 1), 4);
    this.allow(COMMAND, COMMAND_IO | COMMAND_MASTER, 2);
    this.put(COMMAND, COMMAND_IO | COMMAND_MASTER, 2);
  }

  /** Base of an I/O register block, or undefined while decoding is off. */
  ioBase(index: number): number | undefined {
    if ((this.config[COMMAND]! & COMMAND_IO) === 0) return undefined;
    const base = this.get(BAR0 + 4 * index, 4) & 0xfffc;
    return base === 0 ? undefined : base;
  }
}

export class PciBus implements PortHandler {
  readonly name = 'pci';
  readonly widest = 4;
  readonly state = { address: 0 };
  private readonly functions = new Map<number, PciFunction>();

  add(device: number, fn: number, pciFunction: PciFunction): void {
    this.functions.set((device << 3) | fn, pciFunction);
    const first = this.functions.get(device << 3);
    if (fn > 0 && first !== undefined) first.config[0x0e]! |= HEADER_MULTIFUNCTION;
  }

  /** Every function's configuration, for a snapshot. */
  configurations(): Record<string, Uint8Array> {
    return Object.fromEntries([...this.functions.values()].map((f) => [f.name, f.config]));
  }

  read(port: number, size: number): number {
    if (port < ADDRESS + 4) {
      return port === ADDRESS && size === 4 ? this.state.address : ones(size);
    }
    const target = this.target();
    if (target === undefined) return ones(size);
    return target.get((this.state.address & 0xfc) + (port & 3), size);
  }

  write(port: number, value: number, size: number): void {
    if (port < ADDRESS + 4) {
      // Only a 32-bit write is the address register; others are ordinary ports (CF9h: reset).
      if (port === ADDRESS && size === 4) this.state.address = (value & 0x80fffffc) >>> 0;
      return;
    }
    this.target()?.write((this.state.address & 0xfc) + (port & 3), value, size);
  }

  private target(): PciFunction | undefined {
    const { address } = this.state;
    if ((address & ADDRESS_ENABLE) === 0 || (address & 0x00ff0000) !== 0) return undefined;
    return this.functions.get((address >>> 8) & 0xff);
  }
}

function ones(size: number): number {
  return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
}

/** 00:00.0, Intel 82441FX. */
export function createHostBridge(): PciFunction {
  const bridge = new PciFunction('host bridge', {
    vendor: 0x8086,
    device: 0x1237,
    revision: 2,
    classCode: 0x060000,
  });
  bridge.put(COMMAND, 0x0006, 2);
  bridge.allow(COMMAND, 0x0102, 2);
  bridge.put(0x06, 0x0280, 2);
  for (let register = 0x50; register < 0x100; register += 4) bridge.allow(register, 0xffffffff, 4);
  return bridge;
}

const PIRQ_ROUTE = 0x60;
const PIRQ_DISABLED = 0x80;
/** ISA lines that the firmware gives INTA to INTD of device 0. */
export const PIRQ_LINES = [10, 10, 11, 11] as const;

/** 00:01.0, the PIIX4's PCI-to-ISA bridge. */
export class IsaBridge extends PciFunction {
  /** Requests per PIRQ, one bit for each device that asserts it. */
  readonly state = { requests: [0, 0, 0, 0] };

  constructor(private readonly interrupts: Interrupts) {
    super('isa bridge', { vendor: 0x8086, device: 0x7110, revision: 0, classCode: 0x060100 });
    this.put(COMMAND, 0x0007, 2);
    this.put(0x06, 0x0280, 2);
    PIRQ_LINES.forEach((line, i) => this.put(PIRQ_ROUTE + i, line, 1));
    this.allow(PIRQ_ROUTE, 0x8f8f8f8f, 4);
    for (let register = 0x40; register < 0x100; register += 4) {
      if (register !== PIRQ_ROUTE) this.allow(register, 0xffffffff, 4);
    }
    this.onWrite = (register) => {
      if ((register & 0xfc) === PIRQ_ROUTE) this.drive();
    };
  }

  /** A device's interrupt pin (0 = INTA): pins rotate over the PIRQs by slot. */
  setPin(device: number, pin: number, asserted: boolean): void {
    const pirq = (device + pin) & 3;
    const requests = this.state.requests;
    if (asserted) requests[pirq]! |= 1 << device;
    else requests[pirq]! &= ~(1 << device);
    this.drive();
  }

  private drive(): void {
    const levels = new Map<number, boolean>();
    for (let pirq = 0; pirq < 4; pirq++) {
      const route = this.config[PIRQ_ROUTE + pirq]!;
      if ((route & PIRQ_DISABLED) !== 0) continue;
      const line = route & 15;
      levels.set(line, (levels.get(line) ?? false) || this.state.requests[pirq] !== 0);
    }
    for (const [line, asserted] of levels) this.interrupts.setLine(line, asserted);
  }
}
