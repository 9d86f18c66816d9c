/**
 * The PIIX4's IDE function (82371AB data sheet, order 290562, chapter 5): two channels at the
 * legacy ports, bus-master DMA through scatter/gather lists.
 *
 * Not modelled: timing (the registers are kept), the drive data prefetch, native mode.
 */

import type { Bus, PortHandler } from '../bus';
import type { Interrupts } from '../irq';
import { NO_TRACE, type Trace } from '../trace';
import type { AtaChannel } from './ata';
import { COMMAND_MASTER, PciFunction } from './pci';

const CHANNELS = [
  { ports: 0x1f0, control: 0x3f6, irq: 14 },
  { ports: 0x170, control: 0x376, irq: 15 },
] as const;
export const IDE_IRQS = CHANNELS.map(({ irq }) => irq);

const BUS_MASTER_BAR = 4;
const BUS_MASTER_SIZE = 16;
const BUS_MASTER_BASE = 0xc000;
const IDE_TIMING = 0x40;
const TIMING_DECODE_ENABLE = 0x8000;

const BM_START = 0x01;
const BM_TO_MEMORY = 0x08;
const BM_ACTIVE = 0x01;
const BM_ERROR = 0x02;
const BM_INTERRUPT = 0x04;
/** Both drives can do DMA: kept for software, as firmware sets it. */
const BM_CAPABLE = 0x60;
const PRD_END = 0x80000000;

/** Guest memory as a bus master sees it. */
export interface DmaMemory {
  /** The bytes at a physical address, or undefined where there is no RAM. */
  bytes(address: number, length: number): Uint8Array | undefined;
  /** A device has changed memory: code decoded from it is void. */
  written(address: number, length: number): void;
}

interface MasterState {
  command: number;
  status: number;
  table: number;
}

export class Ide extends PciFunction {
  readonly state = {
    masters: CHANNELS.map((): MasterState => ({ command: 0, status: 0, table: 0 })),
  };

  private readonly masterPorts: PortHandler = {
    name: 'ide',
    widest: 4,
    read: (port, size) => this.readMaster(port & (BUS_MASTER_SIZE - 1), size),
    write: (port, value, size) => this.writeMaster(port & (BUS_MASTER_SIZE - 1), value, size),
  };

  constructor(
    private readonly bus: Bus,
    private readonly channels: readonly AtaChannel[],
    private readonly memory: DmaMemory,
    private readonly trace: Trace = NO_TRACE,
  ) {
    super('ide', { vendor: 0x8086, device: 0x7111, revision: 1, classCode: 0x010180 });
    this.put(0x06, 0x0280, 2);
    this.ioBar(BUS_MASTER_BAR, BUS_MASTER_SIZE, BUS_MASTER_BASE);
    this.put(IDE_TIMING, TIMING_DECODE_ENABLE, 2);
    this.put(IDE_TIMING + 2, TIMING_DECODE_ENABLE, 2);
    for (let register = 0x40; register < 0x5c; register += 4) this.allow(register, 0xffffffff, 4);
    this.onWrite = (register) => {
      if (register < 0x28) this.mapMaster();
    };
    this.mapMaster();

    channels.forEach((channel, i) => {
      const { ports, control } = CHANNELS[i]!;
      bus.claimPorts(ports, ports, {
        name: 'ide',
        widest: 4,
        read: (_port, size) => channel.readData(size),
        write: (_port, value, size) => channel.writeData(value, size),
      });
      bus.claimPorts(ports + 1, ports + 7, {
        name: 'ide',
        read: (port) => channel.read(port & 7),
        write: (port, value) => channel.write(port & 7, value),
      });
      bus.claimPorts(control, control, {
        name: 'ide',
        read: () => channel.alternateStatus(),
        write: (_port, value) => channel.writeControl(value),
      });
      channel.onInterrupt = () => {
        this.state.masters[i]!.status |= BM_INTERRUPT;
      };
      channel.onDmaRequest = () => this.transfer(i);
      if (channel.disk !== undefined) this.state.masters[i]!.status = BM_CAPABLE & 0x20;
    });
  }

  private mapMaster(): void {
    this.bus.releasePorts(this.masterPorts);
    const base = this.ioBase(BUS_MASTER_BAR);
    if (base !== undefined) {
      this.bus.claimPorts(base, base + BUS_MASTER_SIZE - 1, this.masterPorts);
    }
  }

  private readMaster(offset: number, size: number): number {
    const { command, status, table } = this.state.masters[offset >> 3]!;
    const register = offset & 7;
    if (register >= 4) return narrow(table >>> (8 * (register & 3)), size);
    return narrow((command | (status << 16)) >>> (8 * register), size);
  }

  private writeMaster(offset: number, value: number, size: number): void {
    const index = offset >> 3;
    const master = this.state.masters[index]!;
    for (let i = 0; i < size; i++) {
      const byte = (value >>> (8 * i)) & 0xff;
      const register = (offset & 7) + i;
      if (register === 0) {
        this.writeCommand(index, byte);
      } else if (register === 2) {
        // Interrupt and error are cleared by ones; the capability bits are plain.
        const cleared = byte & (BM_INTERRUPT | BM_ERROR);
        master.status = (master.status & ~cleared & ~BM_CAPABLE) | (byte & BM_CAPABLE);
      } else if (register >= 4) {
        const shift = 8 * (register - 4);
        master.table = ((master.table & ~(0xff << shift)) | (byte << shift)) & ~3;
        master.table >>>= 0;
      }
    }
  }

  private writeCommand(index: number, value: number): void {
    const master = this.state.masters[index]!;
    const started = (value & ~master.command & BM_START) !== 0;
    master.command = value & (BM_START | BM_TO_MEMORY);
    if (started) {
      master.status |= BM_ACTIVE;
      this.transfer(index);
    } else if ((value & BM_START) === 0) {
      master.status &= ~BM_ACTIVE;
    }
  }

  /** Runs a transfer as soon as the drive asks and the bus master is started. */
  private transfer(index: number): void {
    const master = this.state.masters[index]!;
    const channel = this.channels[index]!;
    const request = channel.dmaRequest();
    if (request === undefined || (master.status & BM_ACTIVE) === 0) return;
    const toMemory = (master.command & BM_TO_MEMORY) !== 0;
    const mastering = (this.config[0x04]! & COMMAND_MASTER) !== 0;
    if (toMemory !== request.toMemory || !mastering) return; // the drive waits; software times out
    let table = master.table;
    let moved = 0;
    let ok = true;
    let end = false;
    while (moved < request.bytes && !end && ok) {
      const entry = this.memory.bytes(table, 8);
      if (entry === undefined) {
        ok = false;
        break;
      }
      const view = new DataView(entry.buffer, entry.byteOffset, 8);
      const address = view.getUint32(0, true) & ~1;
      const size = view.getUint32(4, true) & 0xfffe || 0x10000;
      end = (view.getUint32(4, true) & PRD_END) !== 0;
      const length = Math.min(size, request.bytes - moved);
      const bytes = this.memory.bytes(address >>> 0, length);
      ok = bytes !== undefined && channel.dmaMove(bytes, moved);
      if (toMemory) this.memory.written(address >>> 0, length);
      moved += length;
      table += 8;
      // A list that is longer than the transfer leaves the bus master active (table 5-5).
      if (end && length === size) master.status &= ~BM_ACTIVE;
    }
    if (this.trace.disk) this.trace.disk(`dma ${moved} bytes ${toMemory ? 'in' : 'out'}`);
    if (!ok) {
      master.status |= BM_ERROR;
      master.status &= ~BM_ACTIVE;
    } else if (moved < request.bytes) {
      return; // the list ended early: the drive waits for more
    }
    channel.dmaDone(ok);
  }
}

function narrow(value: number, size: number): number {
  return size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
}

/** The interrupt lines of the channels, in order. */
export function ideLines(interrupts: Interrupts): ((asserted: boolean) => void)[] {
  return IDE_IRQS.map((irq) => interrupts.line(irq));
}
