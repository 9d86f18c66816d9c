/**
 * One ATA disk and the channel it is the master of (ATA/ATAPI-6, T13 1410D): task file, PIO and DMA
 * data phases. The PCI side, bus mastering included, is ide.ts.
 *
 * Commands complete as soon as they are given. A read-only disk takes no write command: it answers
 * with ABRT and WP, the bits ATA has for a write-protected medium. Not modelled: a slave, packet
 * devices, SMART, queued commands, security, power states beyond answering the commands.
 */

import type { DiskBacking } from './disk';
import type { InterruptLine } from '../irq';
import { hex, NO_TRACE, type Trace } from '../trace';
import { identifyData } from './ata-identify';

export const SECTOR = 512;
const MULTIPLE_MAX = 16;

const STATUS_ERROR = 0x01;
const STATUS_DATA = 0x08;
const STATUS_SEEK = 0x10;
const STATUS_READY = 0x40;
const ERROR_ABORTED = 0x04;
const ERROR_NO_ID = 0x10;
const ERROR_WRITE_PROTECTED = 0x40;
const ERROR_DATA = 0x40;
const DEVICE_SLAVE = 0x10;
const DEVICE_LBA = 0x40;
const CONTROL_NO_INTERRUPT = 0x02;
const CONTROL_RESET = 0x04;
const CONTROL_HIGH_ORDER = 0x80;

/** The geometry a disk claims for software that still counts cylinders. */
export const HEADS = 16;
export const SECTORS_PER_TRACK = 63;

type Phase = 'idle' | 'pio in' | 'pio out' | 'dma in' | 'dma out';

export class AtaChannel {
  readonly state = {
    error: 1,
    feature: 0,
    /** Low byte = last written, high byte = the one before (48-bit commands). */
    count: 0,
    lbaLow: 0,
    lbaMid: 0,
    lbaHigh: 0,
    device: 0,
    status: 0,
    control: 0,
    multiple: MULTIPLE_MAX,
    heads: HEADS,
    sectorsPerTrack: SECTORS_PER_TRACK,
    transferMode: 0,
    writeCache: true,
    interrupt: false,
    phase: 'idle' as Phase,
    /** Sectors still to be moved, and the disk's next one. */
    remaining: 0,
    sector: 0,
    /** Bytes of the data block being moved through the data port. */
    block: new Uint8Array(0) as Uint8Array,
    position: 0,
    identify: false,
  };
  readonly counts = { sectorsRead: 0, sectorsWritten: 0 };
  /** Tells the bus master that the drive asks for a DMA transfer. */
  onDmaRequest: () => void = () => {};

  constructor(
    private readonly name: string,
    readonly disk: DiskBacking | undefined,
    private readonly irq: InterruptLine,
    private readonly trace: Trace = NO_TRACE,
  ) {
    this.signature();
  }

  get sectors(): number {
    return this.disk === undefined ? 0 : Math.floor(this.disk.size / SECTOR);
  }

  // --- Registers --------------------------------------------------------------------------------

  read(register: number): number {
    const s = this.state;
    // Nobody drives the bus: the pull-down on DD7 makes an absent channel look never busy.
    if (this.disk === undefined) return 0x7f;
    // The master answers for a slave that is not there.
    if ((s.device & DEVICE_SLAVE) !== 0 && register !== 6) return 0;
    const shift = (s.control & CONTROL_HIGH_ORDER) !== 0 ? 8 : 0;
    switch (register) {
      case 1:
        return s.error;
      case 2:
        return (s.count >> shift) & 0xff;
      case 3:
        return (s.lbaLow >> shift) & 0xff;
      case 4:
        return (s.lbaMid >> shift) & 0xff;
      case 5:
        return (s.lbaHigh >> shift) & 0xff;
      case 6:
        return s.device | 0xa0;
      default:
        this.setInterrupt(false);
        return s.status;
    }
  }

  /** The alternate status leaves the interrupt alone. */
  alternateStatus(): number {
    if (this.disk === undefined) return 0x7f;
    return (this.state.device & DEVICE_SLAVE) !== 0 ? 0 : this.state.status;
  }

  write(register: number, value: number): void {
    const s = this.state;
    if (this.disk === undefined) return;
    s.control &= ~CONTROL_HIGH_ORDER; // any task file write ends reading the older bytes
    switch (register) {
      case 1:
        s.feature = push(s.feature, value);
        break;
      case 2:
        s.count = push(s.count, value);
        break;
      case 3:
        s.lbaLow = push(s.lbaLow, value);
        break;
      case 4:
        s.lbaMid = push(s.lbaMid, value);
        break;
      case 5:
        s.lbaHigh = push(s.lbaHigh, value);
        break;
      case 6:
        s.device = value;
        break;
      default:
        this.setInterrupt(false);
        if ((s.device & DEVICE_SLAVE) === 0 || value === 0x90) this.execute(value);
    }
  }

  writeControl(value: number): void {
    const s = this.state;
    const wasReset = (s.control & CONTROL_RESET) !== 0;
    s.control = value;
    if (this.disk === undefined) return;
    if (!wasReset && (value & CONTROL_RESET) !== 0) {
      this.endPhase();
      this.setInterrupt(false);
      s.status = 0x80;
    } else if (wasReset && (value & CONTROL_RESET) === 0) {
      this.signature();
    }
    this.updateInterrupt();
  }

  /** The data port, 16 or 32 bits at a time. */
  readData(size: number): number {
    const s = this.state;
    if (this.disk === undefined) return size === 4 ? 0xffffffff : 0xffff;
    if (s.phase !== 'pio in') return 0;
    let value = 0;
    for (let i = 0; i < size; i++) value += (s.block[s.position + i] ?? 0) * 2 ** (8 * i);
    s.position += size;
    if (s.position >= s.block.length) this.blockDone();
    return value;
  }

  writeData(value: number, size: number): void {
    const s = this.state;
    if (s.phase !== 'pio out') return;
    for (let i = 0; i < size && s.position + i < s.block.length; i++) {
      s.block[s.position + i] = (value >>> (8 * i)) & 0xff;
    }
    s.position += size;
    if (s.position >= s.block.length) this.blockDone();
  }

  // --- DMA --------------------------------------------------------------------------------------

  /** Bytes the drive wants to move by DMA, and which way. */
  dmaRequest(): { bytes: number; toMemory: boolean } | undefined {
    const { phase, remaining } = this.state;
    if (phase !== 'dma in' && phase !== 'dma out') return undefined;
    return { bytes: remaining * SECTOR, toMemory: phase === 'dma in' };
  }

  /** Moves the next bytes of the transfer from or to a piece of memory. */
  dmaMove(memory: Uint8Array, offset: number): boolean {
    const s = this.state;
    const at = s.sector * SECTOR + offset;
    return s.phase === 'dma in' ? this.readDisk(at, memory) : this.writeDisk(at, memory);
  }

  dmaDone(ok: boolean): void {
    const s = this.state;
    if (s.phase === 'dma in') this.counts.sectorsRead += s.remaining;
    else this.counts.sectorsWritten += s.remaining;
    s.sector += s.remaining;
    s.remaining = 0;
    this.endPhase();
    if (ok) this.succeed();
    else this.fail(ERROR_ABORTED | ERROR_DATA);
  }

  // --- Commands ---------------------------------------------------------------------------------

  private execute(command: number): void {
    const s = this.state;
    this.endPhase();
    if (this.trace.disk) {
      this.trace.disk(
        `${this.name} command ${hex(command)} count ${s.count} lba ` +
          `${hex(s.lbaHigh, 4)}.${hex(s.lbaMid, 4)}.${hex(s.lbaLow, 4)} device ${hex(s.device)}`,
      );
    }
    s.error = 0;
    switch (command) {
      case 0xec: // IDENTIFY DEVICE
        s.identify = true;
        s.remaining = 1;
        s.phase = 'pio in';
        this.nextBlock();
        this.setInterrupt(true);
        break;
      case 0x20: // READ SECTORS
      case 0x21:
        this.transfer('pio in', false);
        break;
      case 0x24: // READ SECTORS EXT
        this.transfer('pio in', true);
        break;
      case 0xc4: // READ MULTIPLE
        this.transferMultiple('pio in', false);
        break;
      case 0x29: // READ MULTIPLE EXT
        this.transferMultiple('pio in', true);
        break;
      case 0xc8: // READ DMA
      case 0xc9:
        this.transfer('dma in', false);
        break;
      case 0x25: // READ DMA EXT
        this.transfer('dma in', true);
        break;
      case 0x30: // WRITE SECTORS
      case 0x31:
        this.transfer('pio out', false);
        break;
      case 0x34: // WRITE SECTORS EXT
        this.transfer('pio out', true);
        break;
      case 0xc5: // WRITE MULTIPLE
        this.transferMultiple('pio out', false);
        break;
      case 0x39: // WRITE MULTIPLE EXT
        this.transferMultiple('pio out', true);
        break;
      case 0xca: // WRITE DMA
      case 0xcb:
        this.transfer('dma out', false);
        break;
      case 0x35: // WRITE DMA EXT
        this.transfer('dma out', true);
        break;
      case 0x40: // READ VERIFY
      case 0x41:
        if (this.address(false)) this.succeed();
        break;
      case 0x42: // READ VERIFY EXT
        if (this.address(true)) this.succeed();
        break;
      case 0xe7: // FLUSH CACHE
      case 0xea: // FLUSH CACHE EXT
        this.flush();
        break;
      case 0xef:
        this.setFeatures();
        break;
      case 0xc6: // SET MULTIPLE MODE
        this.setMultiple(s.count & 0xff);
        break;
      case 0x91: // INITIALIZE DEVICE PARAMETERS
        s.heads = (s.device & 0x0f) + 1;
        s.sectorsPerTrack = s.count & 0xff || SECTORS_PER_TRACK;
        this.succeed();
        break;
      case 0x90: // EXECUTE DEVICE DIAGNOSTIC
        this.signature();
        this.setInterrupt(true);
        break;
      case 0xf8: // READ NATIVE MAX ADDRESS
        this.reportAddress(Math.min(this.sectors, 0x0fffffff) - 1, false);
        break;
      case 0x27: // READ NATIVE MAX ADDRESS EXT
        this.reportAddress(this.sectors - 1, true);
        break;
      case 0xe5: // CHECK POWER MODE: active
      case 0x98:
        s.count = 0xff;
        this.succeed();
        break;
      case 0x10: // RECALIBRATE
      case 0x70: // SEEK
      case 0xe0: // STANDBY IMMEDIATE
      case 0xe1: // IDLE IMMEDIATE
      case 0xe2: // STANDBY
      case 0xe3: // IDLE
      case 0xe6: // SLEEP
      case 0x94:
      case 0x95:
      case 0x96:
      case 0x97:
      case 0x99:
        this.succeed();
        break;
      default:
        this.fail(ERROR_ABORTED);
    }
  }

  private setFeatures(): void {
    const s = this.state;
    switch (s.feature & 0xff) {
      case 0x02:
        s.writeCache = true;
        break;
      case 0x82:
        s.writeCache = false;
        this.disk!.flush();
        break;
      case 0x03: // transfer mode
        s.transferMode = s.count & 0xff;
        break;
      case 0x55: // read look-ahead and power-on defaults: nothing to change
      case 0xaa:
      case 0x66:
      case 0xcc:
        break;
      default:
        this.fail(ERROR_ABORTED);
        return;
    }
    this.succeed();
  }

  private setMultiple(sectors: number): void {
    const valid = sectors <= MULTIPLE_MAX && (sectors & (sectors - 1)) === 0;
    if (!valid) {
      this.fail(ERROR_ABORTED);
      return;
    }
    this.state.multiple = sectors;
    this.succeed();
  }

  private flush(): void {
    try {
      this.disk!.flush();
      this.succeed();
    } catch {
      this.fail(ERROR_ABORTED);
    }
  }

  private transferMultiple(phase: Phase, extended: boolean): void {
    if (this.state.multiple === 0) this.fail(ERROR_ABORTED);
    else this.transfer(phase, extended, this.state.multiple);
  }

  private transfer(phase: Phase, extended: boolean, blockSectors = 1): void {
    const s = this.state;
    if (phase.endsWith('out') && this.disk!.readonly) {
      this.fail(ERROR_ABORTED | ERROR_WRITE_PROTECTED);
      return;
    }
    if (!this.address(extended)) return;
    s.phase = phase;
    s.identify = false;
    s.block = new Uint8Array(blockSectors * SECTOR);
    if (phase === 'dma in' || phase === 'dma out') {
      s.status = STATUS_READY | STATUS_SEEK | STATUS_DATA;
      this.onDmaRequest();
      return;
    }
    if (!this.nextBlock()) return;
    // A write's first block is asked for without an interrupt.
    if (phase === 'pio in') this.setInterrupt(true);
  }

  /** Works out the first sector and the count, or fails with IDNF beyond the disk's end. */
  private address(extended: boolean): boolean {
    const s = this.state;
    if (extended) {
      const low = (s.lbaLow & 0xff) | ((s.lbaMid & 0xff) << 8) | ((s.lbaHigh & 0xff) << 16);
      const high = (s.lbaLow >> 8) | (s.lbaMid & 0xff00) | ((s.lbaHigh & 0xff00) << 8);
      s.sector = low + high * 2 ** 24;
      s.remaining = s.count || 0x10000;
    } else {
      const [low, mid, high] = [s.lbaLow & 0xff, s.lbaMid & 0xff, s.lbaHigh & 0xff];
      s.remaining = s.count & 0xff || 0x100;
      if ((s.device & DEVICE_LBA) !== 0) {
        s.sector = low | (mid << 8) | (high << 16) | ((s.device & 15) << 24);
      } else {
        const cylinder = mid | (high << 8);
        s.sector = (cylinder * s.heads + (s.device & 15)) * s.sectorsPerTrack + low - 1;
      }
    }
    if (s.sector < 0 || s.sector + s.remaining > this.sectors) {
      this.fail(ERROR_NO_ID);
      return false;
    }
    return true;
  }

  private reportAddress(sector: number, extended: boolean): void {
    const s = this.state;
    const high = Math.floor(sector / 2 ** 24);
    s.lbaLow = (sector & 0xff) | (extended ? (high & 0xff) << 8 : 0);
    s.lbaMid = ((sector >> 8) & 0xff) | (extended ? high & 0xff00 : 0);
    s.lbaHigh = ((sector >> 16) & 0xff) | (extended ? (high >> 8) & 0xff00 : 0);
    if (!extended) s.device = (s.device & 0xf0) | (high & 0x0f);
    this.succeed();
  }

  // --- PIO data phases --------------------------------------------------------------------------

  /** Makes the next block of the data phase ready; false when the disk could not be read. */
  private nextBlock(): boolean {
    const s = this.state;
    s.position = 0;
    if (s.identify) {
      s.block = identifyData(this.sectors, s);
    } else {
      const sectors = Math.min(s.remaining, Math.max(1, s.block.length / SECTOR));
      if (s.block.length !== sectors * SECTOR) s.block = new Uint8Array(sectors * SECTOR);
      if (s.phase === 'pio in' && !this.readDisk(s.sector * SECTOR, s.block)) {
        this.endPhase();
        this.fail(ERROR_DATA);
        return false;
      }
    }
    s.status = STATUS_READY | STATUS_SEEK | STATUS_DATA;
    return true;
  }

  /** The guest has moved the whole block. */
  private blockDone(): void {
    const s = this.state;
    const sectors = s.block.length / SECTOR;
    const out = s.phase === 'pio out';
    if (out) {
      if (!this.writeDisk(s.sector * SECTOR, s.block)) {
        this.endPhase();
        this.fail(ERROR_ABORTED);
        return;
      }
      this.counts.sectorsWritten += sectors;
    } else if (!s.identify) {
      this.counts.sectorsRead += sectors;
    }
    s.sector += sectors;
    s.remaining -= sectors;
    if (s.remaining > 0) {
      if (this.nextBlock()) this.setInterrupt(true);
      return;
    }
    this.endPhase();
    // A read's last block has no interrupt after it, a write's has.
    if (out) this.succeed();
    else s.status = STATUS_READY | STATUS_SEEK;
  }

  private endPhase(): void {
    const s = this.state;
    s.phase = 'idle';
    s.identify = false;
    s.block = new Uint8Array(0);
    s.position = 0;
  }

  private readDisk(offset: number, bytes: Uint8Array): boolean {
    try {
      this.disk!.read(offset, bytes);
      return true;
    } catch {
      return false;
    }
  }

  private writeDisk(offset: number, bytes: Uint8Array): boolean {
    try {
      this.disk!.write(offset, bytes);
      if (!this.state.writeCache) this.disk!.flush();
      return true;
    } catch {
      return false;
    }
  }

  // --- Completion -------------------------------------------------------------------------------

  private succeed(): void {
    this.state.status = STATUS_READY | STATUS_SEEK;
    this.setInterrupt(true);
  }

  private fail(error: number): void {
    this.state.error = error;
    this.state.status = STATUS_READY | STATUS_SEEK | STATUS_ERROR;
    this.setInterrupt(true);
  }

  /** What the registers hold after a reset: "a disk that passed its diagnostics". */
  private signature(): void {
    Object.assign(this.state, { error: 1, count: 1, lbaLow: 1, lbaMid: 0, lbaHigh: 0, device: 0 });
    this.state.status = STATUS_READY | STATUS_SEEK;
  }

  /** Set by ide.ts: INTRQ as the bus master sees it, whatever the control register masks. */
  onInterrupt: () => void = () => {};

  private setInterrupt(asserted: boolean): void {
    this.state.interrupt = asserted;
    if (asserted) this.onInterrupt();
    this.updateInterrupt();
  }

  private updateInterrupt(): void {
    const { interrupt, control } = this.state;
    this.irq(interrupt && (control & CONTROL_NO_INTERRUPT) === 0);
  }
}

/** A task file register remembers the byte before, for 48-bit commands. */
function push(register: number, value: number): number {
  return ((register & 0xff) << 8) | value;
}
