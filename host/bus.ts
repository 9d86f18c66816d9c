/**
 * Who answers at which I/O port and at which physical address that is not memory.
 *
 * Owns dispatch, splitting of wide accesses to narrow devices, the counts for --stats and the io
 * and mmio traces. Knows no device.
 */

import { hex, NO_TRACE, type Trace } from './trace';

export interface PortHandler {
  /** Shown in --stats and in traces; several handlers of one device share a name. */
  readonly name: string;
  /** The widest access the device decodes; wider ones are split, low byte first. Default 1. */
  readonly widest?: 1 | 2 | 4;
  read(port: number, size: number): number;
  write(port: number, value: number, size: number): void;
}

export interface MmioHandler {
  readonly name: string;
  read(address: number, size: number): number;
  write(address: number, value: number, size: number): void;
}

interface MmioRange {
  start: number;
  end: number;
  handler: MmioHandler;
  count: AccessCount;
}

export interface AccessCount {
  reads: number;
  writes: number;
}

/** Ports that software touches although nothing is there, and why that is right. */
export const ABSENT_PORTS: readonly (readonly [first: number, last: number, reason: string])[] = [
  [0x0000, 0x000f, 'DMA controller 1: no ISA device uses DMA'],
  [0x002e, 0x002f, 'no Super I/O configuration port'],
  [0x004e, 0x004f, 'no Super I/O configuration port'],
  [0x0080, 0x0080, 'POST code and the kernel’s I/O delay'],
  [0x0081, 0x008f, 'DMA page registers: no ISA device uses DMA'],
  [0x00c0, 0x00df, 'DMA controller 2: no ISA device uses DMA'],
  [0x00ed, 0x00ed, 'alternative I/O delay'],
  [0x00f0, 0x00f1, 'x87 error latch: the FPU reports through #MF'],
  [0x01e8, 0x01ef, 'no third IDE channel'],
  [0x0168, 0x016f, 'no fourth IDE channel'],
  [0x0200, 0x0207, 'no joystick'],
  [0x0278, 0x027f, 'no LPT2'],
  [0x02e8, 0x02ef, 'no COM4'],
  [0x02f8, 0x02ff, 'no COM2'],
  [0x0378, 0x037f, 'no LPT1'],
  [0x03b0, 0x03bf, 'no monochrome adapter, no LPT3'],
  [0x03e8, 0x03ef, 'no COM3'],
  [0x03f0, 0x03f5, 'no floppy controller'],
  [0x03f7, 0x03f7, 'no floppy controller'],
  [0x0279, 0x0279, 'no ISA Plug and Play'],
  [0x0a79, 0x0a79, 'no ISA Plug and Play'],
];

export function absentReason(port: number): string | undefined {
  return ABSENT_PORTS.find(([first, last]) => port >= first && port <= last)?.[2];
}

export class Bus {
  private readonly ports: (PortHandler | undefined)[] = new Array<undefined>(0x10000);
  private readonly ranges: MmioRange[] = [];
  private readonly counts = new Map<string, AccessCount>();
  private readonly nobody: AccessCount = { reads: 0, writes: 0 };

  constructor(private readonly trace: Trace = NO_TRACE) {
    this.counts.set('unclaimed', this.nobody);
  }

  claimPorts(first: number, last: number, handler: PortHandler): void {
    for (let port = first; port <= last; port++) {
      const owner = this.ports[port];
      if (owner !== undefined && owner !== handler) {
        throw new Error(`port ${hex(port, 4)}: ${handler.name} and ${owner.name} both claim it`);
      }
      this.ports[port] = handler;
    }
    this.countOf(handler.name);
  }

  /** Gives ports back, e.g. because a base address register moved. */
  releasePorts(handler: PortHandler): void {
    for (let port = 0; port < this.ports.length; port++) {
      if (this.ports[port] === handler) this.ports[port] = undefined;
    }
  }

  claimMmio(start: number, end: number, handler: MmioHandler): void {
    this.ranges.push({ start, end, handler, count: this.countOf(handler.name) });
  }

  portIn(port: number, size: number): number {
    port &= 0xffff;
    const handler = this.ports[port];
    if (handler !== undefined && size > (handler.widest ?? 1)) {
      const half = size >> 1;
      const low = this.portIn(port, half);
      const high = this.portIn(port + half, half);
      return (low | (high << (half * 8))) >>> 0;
    }
    let value: number;
    if (handler === undefined) {
      this.nobody.reads++;
      value = size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
    } else {
      this.counts.get(handler.name)!.reads++;
      value = handler.read(port, size) >>> 0;
    }
    if (this.trace.io) this.traceIo('in ', port, size, value);
    return value;
  }

  portOut(port: number, size: number, value: number): void {
    port &= 0xffff;
    const handler = this.ports[port];
    if (handler !== undefined && size > (handler.widest ?? 1)) {
      const half = size >> 1;
      const mask = half === 2 ? 0xffff : 0xff;
      this.portOut(port, half, value & mask);
      this.portOut(port + half, half, (value >>> (half * 8)) & mask);
      return;
    }
    if (this.trace.io) this.traceIo('out', port, size, value);
    if (handler === undefined) {
      this.nobody.writes++;
    } else {
      this.counts.get(handler.name)!.writes++;
      handler.write(port, value >>> 0, size);
    }
  }

  mmioRead(address: number, size: number): number {
    address = address >>> 0;
    const range = this.rangeOf(address);
    let value: number;
    if (range === undefined) {
      this.nobody.reads++;
      value = size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
    } else {
      range.count.reads++;
      value = range.handler.read(address - range.start, size) >>> 0;
    }
    if (this.trace.mmio) this.traceMmio('read ', range, address, size, value);
    return value;
  }

  mmioWrite(address: number, size: number, value: number): void {
    address = address >>> 0;
    const range = this.rangeOf(address);
    if (this.trace.mmio) this.traceMmio('write', range, address, size, value);
    if (range === undefined) {
      this.nobody.writes++;
    } else {
      range.count.writes++;
      range.handler.write(address - range.start, value >>> 0, size);
    }
  }

  /** Accesses by device, for --stats. */
  statistics(): Record<string, AccessCount> {
    return Object.fromEntries([...this.counts].map(([name, count]) => [name, { ...count }]));
  }

  /** Accesses of all devices together. */
  accesses(): number {
    let sum = 0;
    for (const { reads, writes } of this.counts.values()) sum += reads + writes;
    return sum;
  }

  private countOf(name: string): AccessCount {
    let count = this.counts.get(name);
    if (count === undefined) this.counts.set(name, (count = { reads: 0, writes: 0 }));
    return count;
  }

  private rangeOf(address: number): MmioRange | undefined {
    for (const range of this.ranges) {
      if (address >= range.start && address < range.end) return range;
    }
    return undefined;
  }

  private traceIo(what: string, port: number, size: number, value: number): void {
    const who = this.ports[port]?.name ?? `nobody (${absentReason(port) ?? 'unknown port'})`;
    this.trace.io!(`${what} ${hex(port, 4)} ${hex(value, size * 2)} ${who}`);
  }

  private traceMmio(
    what: string,
    range: MmioRange | undefined,
    address: number,
    size: number,
    value: number,
  ): void {
    const who = range?.handler.name ?? 'nobody';
    this.trace.mmio!(`${what} ${hex(address, 8)} ${hex(value, size * 2)} ${who}`);
  }
}
