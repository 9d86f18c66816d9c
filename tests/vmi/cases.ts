/**
 * What each call of the table is to do: the instructions it stands for, and what is set up for
 * them. A call whose result depends on time, or that ends the machine, is not here but in
 * calls.test.ts (`ELSEWHERE`).
 */
import { expect } from 'vitest';
import { AP_STATE_SIZE } from '../../assembly/shared/paravirt.ts';
import { dword, IRET, type Assembler } from './assembler.ts';
import {
  DATA,
  GDT,
  KERNEL_CS,
  LDT_SELECTOR,
  ROOT,
  TSS,
  TSS2_SELECTOR,
  USER_CODE,
  USER_CS,
  USER_DATA,
  USER_DS,
  USER_PHYSICAL,
  type Guest,
} from './guest.ts';
import { FLAGS, IF, type CallCase } from './loop.ts';

/** What is not there to be made: the routine, if called all the same, returns. */
const NOTHING: CallCase[] = [{}];

const PCI_ADDRESS = 0xcf8;
const PCI_DATA = 0xcfc;
const PIC_MASK = 0x21;
const SERIAL = 0x3f8;
const ACPI_ENABLE = 0x602;

/** mov eax, value; mov edx, port; out dx, eax */
const outLong = (port: number, value: number) => (a: Assembler) =>
  void a.mov('eax', value).mov('edx', port).emit(0xef);
const wrmsr = (index: number, value: number) => (a: Assembler) =>
  void a.mov('ecx', index).mov('eax', value).mov('edx', 0).emit(0x0f, 0x30);
const control = (register: number, value: number) => (a: Assembler) =>
  void a.mov('eax', value).emit(0x0f, 0x22, 0xc0 | (register << 3));
const debug = (register: number, value: number) => (a: Assembler) =>
  void a.mov('eax', value).emit(0x0f, 0x23, 0xc0 | (register << 3));

/** Copies the page directory: another address space that maps the same. */
const copyRoot = ({ machine }: Guest): void => {
  machine.cpu.ram().copyWithin(DATA, ROOT, ROOT + 0x1000);
};

const fill = ({ machine }: Guest): void => {
  for (let i = 0; i < 0x2000; i++) machine.cpu.ram()[DATA + i] = (i * 7 + (i >> 8)) & 0xff;
};

/** Code of ring 3 that comes back to the loop, and a gate that leads there. */
const userCode = (guest: Guest, a: Assembler): void => {
  guest.machine.cpu.ram().set([0xcd, 0x80], USER_PHYSICAL);
  guest.gate(0x80, a.addressOf('behind'));
};

const port = (edx: number, more: object = {}) => ({ registers: { edx, ...more } });
const descriptorAt =
  (at: number, base: number, limit: number) =>
  ({ view }: Guest) => {
    view.setUint16(at, limit, true);
    view.setUint32(at + 2, base, true);
  };

const WRITE_ENTRY: CallCase[] = [
  {
    registers: { eax: DATA, edx: 5, ecx: 0x1234ffff },
    stack: [0x00cf9a56],
    // mov [eax+edx*8], ecx; push dword [esp]; pop dword [eax+edx*8+4]
    native: [0x89, 0x0c, 0xd0, 0xff, 0x34, 0x24, 0x8f, 0x44, 0xd0, 0x04],
  },
  {
    title: 'across a page',
    slow: true,
    registers: { eax: DATA + 0xffc, edx: 0, ecx: 0x89abcdef },
    stack: [0x01234567],
    native: [0x89, 0x0c, 0xd0, 0xff, 0x34, 0x24, 0x8f, 0x44, 0xd0, 0x04],
  },
];

const AP_STATE = DATA + 0xfd3;

export const CASES: Record<string, CallCase[]> = {
  CPUID: [0, 1, 2, 0x40000000, 0x80000000, 0x80000004, 0xffffffff].map((eax) => ({
    title: eax.toString(16),
    registers: { eax, ecx: 0 },
    native: [0x0f, 0xa2],
  })),
  WRMSR: [{ registers: { ecx: 0x175, eax: 0x89abcdef, edx: 0 }, native: [0x0f, 0x30] }],
  RDMSR: [{ registers: { ecx: 0x176 }, before: wrmsr(0x176, 0x87654321), native: [0x0f, 0x32] }],
  SetGDT: [
    {
      registers: { eax: DATA },
      prepare: descriptorAt(DATA, GDT, 0xef),
      native: [0x0f, 0x01, 0x10],
    },
  ],
  SetLDT: [LDT_SELECTOR, 0].map((eax) => ({ registers: { eax }, native: [0x0f, 0x00, 0xd0] })),
  SetIDT: [
    {
      registers: { eax: DATA + 0xffd },
      prepare: descriptorAt(DATA + 0xffd, 0x201000, 0x3ff),
      native: [0x0f, 0x01, 0x18],
    },
  ],
  SetTR: [
    {
      registers: { eax: TSS2_SELECTOR },
      // mov byte [...], 89h: not busy
      before: (a) => a.emit(0xc6, 0x05, dword(GDT + TSS2_SELECTOR + 5), 0x89),
      native: [0x0f, 0x00, 0xd8],
    },
  ],
  GetGDT: [{ registers: { eax: DATA + 0xffd }, native: [0x0f, 0x01, 0x00] }],
  GetLDT: [{ native: [0x0f, 0x00, 0xc0] }],
  GetIDT: [{ registers: { eax: DATA + 1 }, native: [0x0f, 0x01, 0x08] }],
  GetTR: [{ native: [0x0f, 0x00, 0xc8] }],
  WriteGDTEntry: WRITE_ENTRY,
  WriteLDTEntry: WRITE_ENTRY,
  WriteIDTEntry: WRITE_ENTRY,
  UpdateKernelStack: [
    {
      registers: { eax: 0x68, edx: 0xc0123450 },
      // mov [TSS+4], edx; mov [TSS+8], ax
      native: [0x89, 0x15, ...dword(TSS + 4), 0x66, 0xa3, ...dword(TSS + 8)],
    },
  ],
  SetCR0: [0x8005003b, 0x80040033, 0x80050033, 0x80050021].map((eax) => ({
    title: eax.toString(16),
    registers: { eax },
    native: [0x0f, 0x22, 0xc0],
    unseen: eax === 0x80040033,
  })),
  SetCR2: [{ registers: { eax: 0xdeadbeef }, native: [0x0f, 0x22, 0xd0] }],
  SetCR3: [
    { title: 'the same root', registers: { eax: ROOT }, native: [0x0f, 0x22, 0xd8] },
    {
      title: 'another root',
      registers: { eax: DATA },
      prepare: copyRoot,
      before: control(3, ROOT),
      native: [0x0f, 0x22, 0xd8],
    },
  ],
  SetCR4: [0x690, 0x610, 0x694].map((eax) => ({
    title: eax.toString(16),
    registers: { eax },
    native: [0x0f, 0x22, 0xe0],
    unseen: eax === 0x610,
  })),
  GetCR0: [{ native: [0x0f, 0x20, 0xc0] }],
  GetCR2: [{ before: control(2, 0x13579bdf), native: [0x0f, 0x20, 0xd0] }],
  GetCR3: [{ native: [0x0f, 0x20, 0xd8] }],
  GetCR4: [{ native: [0x0f, 0x20, 0xe0] }],
  WBINVD: [{ native: [0x0f, 0x09] }],
  SetDR: [
    ...[0, 1, 2, 3, 4, 6].map((eax) => ({
      title: String(eax),
      registers: { eax, edx: 0x12345678 },
      native: [0x0f, 0x23, 0xc2 | (eax << 3)],
    })),
    { title: '7', registers: { eax: 7, edx: 0x300 }, native: [0x0f, 0x23, 0xfa] },
    { title: '8, which does not exist', registers: { eax: 8 } },
  ],
  GetDR: [
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((eax) => ({
      title: String(eax),
      registers: { eax },
      before: debug(2, 0x2468ace0),
      native: [0x0f, 0x21, 0xc0 | (eax << 3)],
    })),
    {
      title: '8, which does not exist',
      registers: { eax: 8 },
      changes: { registers: { eax: 0 } },
    },
  ],
  RDPMC: [{ registers: { ecx: 1 }, native: [0x0f, 0x33] }],
  CLTS: [{ before: control(0, 0x8005003b), native: [0x0f, 0x06] }],
  EnableInterrupts: [
    { native: [0xfb] },
    { title: 'they are', eflags: FLAGS | IF, native: [0xfb] },
    { title: 'other flags', eflags: 2, native: [0xfb] },
  ],
  DisableInterrupts: [
    { native: [0xfa] },
    { title: 'they are not', eflags: FLAGS | IF, native: [0xfa] },
  ],
  GetInterruptMask: [
    { changes: { registers: { eax: 0 } } },
    { title: 'enabled', eflags: FLAGS | IF, changes: { registers: { eax: IF } } },
  ],
  SetInterruptMask: [
    [0x200, FLAGS],
    [0xffffffff, FLAGS],
    [0, FLAGS | IF],
    [0xfffffdff, FLAGS | IF],
    [0x202, 2],
  ].map(([eax, eflags]) => ({
    title: `${eax!.toString(16)} over ${eflags!.toString(16)}`,
    registers: { eax: eax! },
    eflags: eflags!,
    changes: { eflags: (eflags! & ~IF) | (eax! & IF) },
  })),
  IRET: [
    { title: 'within ring 0', stack: ['behind', KERNEL_CS, 0x603], native: [IRET] },
    {
      title: 'with DS and ES that are good for nothing',
      stack: ['behind', KERNEL_CS, 0xad6],
      native: [IRET],
    },
    {
      title: 'to ring 3',
      stack: [USER_CODE, USER_CS, 0x207, USER_DATA + 0x800, USER_DS],
      prepare: userCode,
      native: [IRET],
      unseen: true,
    },
  ],
  SYSEXIT: [
    {
      registers: { edx: USER_CODE, ecx: USER_DATA + 0x800 },
      before: wrmsr(0x174, KERNEL_CS),
      prepare: userCode,
      native: [0xfb, 0x0f, 0x35],
      unseen: true,
    },
  ],
  SetPxE: [
    { registers: { eax: 0x00345067, edx: DATA + 0x10, ecx: 1 }, native: [0x89, 0x02] },
    { registers: { eax: 0, edx: DATA + 0xffc, ecx: 0x400011 }, native: [0x89, 0x02] },
  ],
  SetPxELong: [
    {
      registers: { eax: 0x00345067, edx: 0x80000000, ecx: DATA + 0x18 },
      stack: [1],
      native: [0x89, 0x01, 0x89, 0x51, 0x04],
    },
  ],
  UpdatePxE: [{ registers: { eax: DATA + 8, edx: 1 } }],
  UpdatePxELong: [{ registers: { eax: DATA + 8, edx: 0x400031 } }],
  MachineToPhysical: NOTHING,
  PhysicalToMachine: NOTHING,
  AllocatePage: [{ registers: { eax: 0x400, edx: 0x62, ecx: 0x220 }, stack: [768, 256] }],
  ReleasePage: [{ registers: { eax: 0x400, edx: 0x42 } }],
  InvalPage: [{ registers: { eax: DATA }, native: [0x0f, 0x01, 0x38] }],
  FlushTLB: [0, 1, 2, 3].map((eax) => ({
    title: String(eax),
    registers: { eax },
    unseen: (eax & 2) !== 0,
  })),
  SetLinearMapping: [{ registers: { eax: 0, edx: 0xc0000000, ecx: 0x1000 }, stack: [0] }],
  INL: [{ ...port(PCI_ADDRESS), before: outLong(PCI_ADDRESS, 0x8000fa5c), native: [0xed] }],
  INB: [{ ...port(PIC_MASK), before: (a) => a.out(PIC_MASK, 0xa5), native: [0xec] }],
  INW: [{ ...port(PCI_DATA), before: outLong(PCI_ADDRESS, 0x80000000), native: [0x66, 0xed] }],
  INSL: [3, 5000, 0].map((ecx) => ({
    title: `${ecx} times`,
    ...port(PCI_ADDRESS, { ecx, edi: DATA + 2 }),
    before: outLong(PCI_ADDRESS, 0x80001254),
    native: [0xf3, 0x6d],
    again: ecx > 1000,
  })),
  INSB: [{ ...port(PIC_MASK, { ecx: 9, edi: DATA + 0xffb }), native: [0xf3, 0x6c] }],
  INSW: [
    {
      ...port(PCI_DATA, { ecx: 9, edi: DATA + 0xffb }),
      before: outLong(PCI_ADDRESS, 0x80000000),
      native: [0x66, 0xf3, 0x6d],
    },
  ],
  OUTL: [{ ...port(PCI_ADDRESS, { eax: 0x80000a48 }), native: [0xef] }],
  OUTB: [{ ...port(PIC_MASK, { eax: 0x1111115a }), native: [0xee] }],
  OUTW: [{ ...port(ACPI_ENABLE, { eax: 0x11110121 }), native: [0x66, 0xef] }],
  OUTSL: [
    { ...port(PCI_ADDRESS, { ecx: 3, esi: DATA + 0xffa }), prepare: fill, native: [0xf3, 0x6f] },
  ],
  OUTSB: [{ ...port(SERIAL, { ecx: 11, esi: DATA + 65 }), prepare: fill, native: [0xf3, 0x6e] }],
  OUTSW: [
    { ...port(ACPI_ENABLE, { ecx: 4, esi: DATA }), prepare: fill, native: [0x66, 0xf3, 0x6f] },
  ],
  SetIOPLMask: [
    { registers: { eax: 0x3000 }, changes: { eflags: FLAGS | 0x3000 } },
    { registers: { eax: 0xffffefff }, changes: { eflags: FLAGS | 0x2000 } },
    { registers: { eax: 0 }, eflags: FLAGS | 0x3000, changes: { eflags: FLAGS } },
  ],
  SetInitialAPState: [
    {
      registers: { eax: AP_STATE, edx: 3 },
      prepare: fill,
      check: (guest) => {
        const { started } = guest.machine.face.state as { started: Record<number, number[]> };
        const copied = guest.machine.cpu.ram().subarray(AP_STATE, AP_STATE + AP_STATE_SIZE);
        expect(started).toEqual({ 3: [...copied] });
      },
    },
  ],
  APICWrite: [0x320, 0xfee00320, 0x80].map((eax) => ({
    title: eax.toString(16),
    registers: { eax, edx: 0x10041 },
    native: [0x89, 0x15, ...dword(0xfee00000 | (eax & 0xff0))],
  })),
  APICRead: [0x20, 0x30, 0xfee00320].map((eax) => ({
    title: eax.toString(16),
    registers: { eax },
    native: [0xa1, ...dword(0xfee00000 | (eax & 0xff0))],
  })),
  IODelay: NOTHING,
  GetCycleFrequency: [{ changes: { registers: { eax: 1e9, edx: 0 } } }],
  CancelAlarm: [
    { title: 'that is not armed', registers: { eax: 0 }, changes: { registers: { eax: 0 } } },
    { title: 'of no counter', registers: { eax: 2 }, changes: { registers: { eax: 0 } } },
  ],
  WallclockUpdated: [{ changes: { registers: { eax: 0 } } }],
  SetCallbacks: NOTHING,
  SetLazyMode: [0, 1, 2].map((eax) => ({ title: String(eax), registers: { eax } })),
};
