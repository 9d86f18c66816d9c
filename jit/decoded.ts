/**
 * Decoded blocks in the core's memory, for reading: headers and records (shared/records.ts), and
 * what the TLB says of a page now. Decodes nothing and changes nothing.
 */
import {
  MODE,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_PHYSICAL,
  TLB_KERNEL,
  TLB_READ,
  TLB_USER,
} from '../assembly/shared/layout.ts';
import { MODE_USER } from '../assembly/shared/modes.ts';
import { TLB_NO_EXECUTE } from '../assembly/shared/paging.ts';
import {
  HEADER_COUNT,
  HEADER_ENTRY,
  HEADER_HEAT,
  HEADER_MODE,
  HEADER_PHYSICAL,
  HEADER_RECORDS,
  HEADER_SECOND,
  HEADER_SIZE,
  HEADER_TAKEN,
  RECORD_SIZE,
} from '../assembly/shared/records.ts';

export class Decoded {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  private readonly view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.u8 = new Uint8Array(memory.buffer);
    this.u16 = new Uint16Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  word(address: number): number {
    return this.u32[address >>> 2];
  }

  setWord(address: number, value: number): void {
    this.u32[address >>> 2] = value;
  }

  get mode(): number {
    return this.word(MODE);
  }

  /** Physical address that code at `linear` is fetched from under `mode`, if the TLB knows; else -1. */
  fetchAddress(linear: number, mode: number): number {
    const entry =
      (mode & MODE_USER ? TLB_USER : TLB_KERNEL) + ((linear >>> 12) & (TLB_ENTRIES - 1)) * 16;
    if (this.word(entry + TLB_READ) !== (linear | 0xfff) >>> 0) return -1;
    const physical = this.word(entry + TLB_PHYSICAL);
    if (physical & TLB_NO_EXECUTE) return -1;
    return ((physical & ~0xfff) | (linear & 0xfff)) >>> 0;
  }

  /** A word of guest memory at `linear` under `mode`, if the TLB knows its page; else -1. */
  data(linear: number, mode: number): number {
    if ((linear & 0xfff) > 0xffc) return -1;
    const entry =
      (mode & MODE_USER ? TLB_USER : TLB_KERNEL) + ((linear >>> 12) & (TLB_ENTRIES - 1)) * 16;
    if (this.word(entry + TLB_READ) !== (linear | 0xfff) >>> 0) return -1;
    const host = (linear + this.word(entry + TLB_ADDEND)) >>> 0;
    return this.view.getUint32(host, true);
  }

  physical(block: number): number {
    return this.word(block + HEADER_PHYSICAL);
  }
  modeOf(block: number): number {
    return this.word(block + HEADER_MODE);
  }
  instructions(block: number): number {
    return this.u16[(block + HEADER_COUNT) >>> 1];
  }
  heat(block: number): number {
    return this.word(block + HEADER_HEAT);
  }
  entry(block: number): number {
    return this.word(block + HEADER_ENTRY);
  }
  /** Physical address of the page that its one instruction runs on into, or 0. */
  second(block: number): number {
    return this.word(block + HEADER_SECOND);
  }
  /** The block that followed when the branch at the end was taken last; 0: none has. It may be forgotten since. */
  taken(block: number): number {
    return this.word(block + HEADER_TAKEN);
  }
  /** Where the branch through a register at `record` went last: the interpreter notes it. */
  noted(record: number): number | undefined {
    return this.disp(record) >>> 0 || undefined;
  }
  firstRecord(block: number): number {
    return block + HEADER_SIZE;
  }
  endOfRecords(block: number): number {
    return block + HEADER_SIZE + this.u16[(block + HEADER_RECORDS) >>> 1] * RECORD_SIZE;
  }

  code(record: number): number {
    return this.u16[record >>> 1];
  }
  r1(record: number): number {
    return this.u8[record + 2];
  }
  r2(record: number): number {
    return this.u8[record + 3];
  }
  base(record: number): number {
    return this.u8[record + 4];
  }
  index(record: number): number {
    return this.u8[record + 5];
  }
  scale(record: number): number {
    return this.u8[record + 6];
  }
  length(record: number): number {
    return this.u8[record + 7];
  }
  disp(record: number): number {
    return this.i32[(record + 8) >>> 2];
  }
  imm(record: number): number {
    return this.i32[(record + 12) >>> 2];
  }
}
