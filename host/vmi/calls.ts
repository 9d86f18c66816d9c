/**
 * The VMI calls of API 3.0: the one table that the ROM, the core's dispatch, the translator, the
 * trace, docs/vmi.md and the tests are made from.
 *
 * A call into the ROM is a near CALL of its routine; arguments are in EAX, EDX, ECX, then on the
 * stack. The interpreter runs the routine, a VMCALL, for which the core calls `vmi_NAME` of
 * assembly/paravirt or the machine. Translated code calls the same function by itself, or has the
 * operation inline, and runs no byte of the ROM.
 */
import type { HookName } from '../paravirt/hooks';
import type { VmiOptions } from './options';

/** How the guest's patcher treats a site (the type byte that GetRelocationInfo gives). */
export type Answer = 'NONE' | 'CALL' | 'NOP';

/**
 * C  GCC's regparm(3): EAX, EDX, ECX and the arithmetic flags may change
 * I  all general registers but a result are preserved; only CS and SS may be relied on
 * X  the row's own: what the instruction of that name does
 */
export type CallClass = 'C' | 'I' | 'X';

/** Where an argument is at the routine's first instruction; stack0 is [ESP+4]. */
export type Place = 'eax' | 'edx' | 'ecx' | 'stack0' | 'stack1';

/** How the trace shows an argument. */
export type Shown =
  | 'number'
  | 'linear'
  | 'selector'
  | 'entry flags'
  | 'page flags'
  | 'alarm flags'
  | 'counter'
  | 'pfn'
  | 'register';

export interface Argument {
  name: string;
  at: Place;
  shown: Shown;
}

/**
 * What translated code must look at when the call has returned.
 *
 * nothing  it only reads
 * code     it may have written decoded code or changed mappings
 * events   the host was called: an interrupt may wait
 * leaves   control goes elsewhere, or the processor halts
 */
export type After = 'nothing' | 'code' | 'events' | 'leaves';

export interface Call {
  number: number;
  name: string;
  class: CallClass;
  arguments: readonly Argument[];
  /** `registers`: whatever the instruction of the class X row changes. */
  result: 'none' | 'eax' | 'edx:eax' | 'registers';
  answer: Answer;
  /** Why the answer is NONE or NOP. */
  reason?: string;
  /** The answer where this option is left out. */
  otherwise?: { without: keyof VmiOptions; answer: Answer };
  hook: HookName | null;
  /** Who serves it: the core in WebAssembly, or the machine in TypeScript. */
  served: 'core' | 'host' | 'nobody';
  after: After;
  /** No argument and no state makes it raise an exception. */
  neverFaults?: boolean;
  /** The core has a form of it that does the usual at once: assembly/paravirt/quick.ts. */
  quick?: boolean;
  /** Translated code has the operation inline: jit/paravirt.ts. */
  inline?: 'enable' | 'disable' | 'get' | 'set' | 'nothing';
  does: string;
}

export const MAKER = 'vmi86';
export const PRODUCT = 'WebAssembly hypervisor';

const PLACES: readonly Place[] = ['eax', 'edx', 'ecx', 'stack0', 'stack1'];

/** Arguments in the order of the convention: "name" or "name: shown". */
function args(...list: string[]): Argument[] {
  return list.map((text, i) => {
    const [name, shown = 'number'] = text.split(': ');
    return { name: name!, at: PLACES[i]!, shown: shown as Shown };
  });
}

/** The port calls have their arguments where the instructions have them. */
const PORT: Argument = { name: 'port', at: 'edx', shown: 'number' };
const VALUE: Argument = { name: 'value', at: 'eax', shown: 'number' };
const COUNT: Argument = { name: 'count', at: 'ecx', shown: 'number' };

type Row = Omit<Call, 'number'>;

function row(
  name: string,
  callClass: CallClass,
  callArguments: readonly Argument[],
  result: Call['result'],
  hook: HookName | null,
  does: string,
  more: Partial<Row> = {},
): Row {
  return {
    name,
    class: callClass,
    arguments: callArguments,
    result,
    answer: 'CALL',
    hook,
    served: 'core',
    after: 'code',
    does,
    ...more,
  };
}

function none(name: string, callClass: CallClass, does: string, reason: string): Row {
  return row(name, callClass, [], 'none', null, does, { answer: 'NONE', served: 'nobody', reason });
}

const READS: Partial<Row> = { after: 'nothing' };
const NEVER_FAULTS: Partial<Row> = { neverFaults: true };
const QUICK: Partial<Row> = { quick: true };
const PORTS: Partial<Row> = { after: 'events' };
const HOST: Partial<Row> = { served: 'host', after: 'events', neverFaults: true };
/** All or none of these: Linux asks for the first and relies on the others. */
const TIMER: Partial<Row> = { otherwise: { without: 'timer', answer: 'NONE' } };

// prettier-ignore
const ROWS: readonly Row[] = [
  row('CPUID', 'X', args('leaf'), 'registers', 'cpu.cpuid',
    'CPUID as the guest is to see it; ECX is the subleaf.',
    READS),
  row('WRMSR', 'X', [], 'none', 'cpu.write_msr', 'Model-specific register ECX becomes EDX:EAX.'),
  row('RDMSR', 'X', [], 'registers', 'cpu.read_msr', 'EDX:EAX becomes model-specific register ECX.'),
  row('SetGDT', 'C', args('descriptor: linear'), 'none', 'cpu.load_gdt',
    'LGDT of the six bytes at the address.'),
  row('SetLDT', 'C', args('selector: selector'), 'none', 'cpu.set_ldt', 'LLDT.'),
  row('SetIDT', 'C', args('descriptor: linear'), 'none', 'cpu.load_idt',
    'LIDT of the six bytes at the address.'),
  row('SetTR', 'C', args('selector: selector'), 'none', 'cpu.load_tr_desc', 'LTR.'),
  row('GetGDT', 'C', args('buffer: linear'), 'none', 'cpu.store_gdt', 'SGDT to the address.'),
  row('GetLDT', 'C', [], 'eax', null, 'SLDT.', READS),
  row('GetIDT', 'C', args('buffer: linear'), 'none', 'cpu.store_idt', 'SIDT to the address.'),
  row('GetTR', 'C', [], 'eax', 'cpu.store_tr', 'STR.', READS),
  row('WriteGDTEntry', 'C', args('table: linear', 'index', 'low', 'high'), 'none', 'cpu.write_gdt_entry',
    'Stores the descriptor at table + 8 * index.', QUICK),
  row('WriteLDTEntry', 'C', args('table: linear', 'index', 'low', 'high'), 'none', 'cpu.write_ldt_entry',
    'Stores the descriptor at table + 8 * index.'),
  row('WriteIDTEntry', 'C', args('table: linear', 'index', 'low', 'high'), 'none', 'cpu.write_idt_entry',
    'Stores the gate at table + 8 * index.'),
  row('UpdateKernelStack', 'C', args('ss: selector', 'esp: linear'), 'none', 'cpu.load_sp0',
    'The stack of the next entry to ring 0; stored in the task state segment.', QUICK),
  row('SetCR0', 'C', args('value'), 'none', 'cpu.write_cr0', 'MOV CR0.'),
  row('SetCR2', 'C', args('value: linear'), 'none', 'mmu.write_cr2', 'MOV CR2.',
    { ...READS, neverFaults: true }),
  row('SetCR3', 'C', args('root'), 'none', 'mmu.write_cr3',
    'Switches to the address space of this root; entries of the one left are kept.'),
  row('SetCR4', 'C', args('value'), 'none', 'cpu.write_cr4', 'MOV CR4.'),
  row('GetCR0', 'C', [], 'eax', 'cpu.read_cr0', 'CR0.', READS),
  row('GetCR2', 'C', [], 'eax', 'mmu.read_cr2', 'CR2.', { ...READS, neverFaults: true }),
  row('GetCR3', 'C', [], 'eax', 'mmu.read_cr3', 'CR3.', READS),
  row('GetCR4', 'C', [], 'eax', 'cpu.read_cr4', 'CR4.', READS),
  row('WBINVD', 'C', [], 'none', 'cpu.wbinvd', 'There is no cache to write back.',
    READS),
  row('SetDR', 'C', args('register', 'value'), 'none', 'cpu.set_debugreg',
    'MOV DR; a register above 7 is ignored.'),
  row('GetDR', 'C', args('register'), 'eax', 'cpu.get_debugreg',
    'A debug register; 0 for one above 7.', READS),
  row('RDPMC', 'X', [{ name: 'counter', at: 'ecx', shown: 'number' }], 'registers', 'cpu.read_pmc',
    'A performance counter.', READS),
  row('RDTSC', 'C', [], 'edx:eax', 'cpu.read_tsc', 'The time-stamp counter.',
    { after: 'events' }),
  row('CLTS', 'C', [], 'none', 'cpu.clts', 'Clears CR0.TS.', READS),
  row('EnableInterrupts', 'I', [], 'none', 'irq.irq_enable', 'Sets IF; what waits is delivered.',
    { after: 'events', inline: 'enable' }),
  row('DisableInterrupts', 'I', [], 'none', 'irq.irq_disable', 'Clears IF.',
    { after: 'nothing', inline: 'disable' }),
  row('GetInterruptMask', 'I', [], 'eax', 'irq.save_fl', '200h if IF is set, else 0.',
    { after: 'nothing', inline: 'get' }),
  row('SetInterruptMask', 'I', args('flags'), 'none', 'irq.restore_fl',
    'IF becomes bit 9, the rest is ignored; what waits is delivered.',
    { after: 'events', inline: 'set' }),
  row('IRET', 'X', [], 'registers', 'cpu.iret',
    'Drops the return address and does IRET; a fault is reported at the site.', { after: 'leaves' }),
  row('SYSEXIT', 'X', [], 'registers', 'cpu.irq_enable_sysexit',
    'Drops the return address, sets IF and does SYSEXIT at once.', { after: 'leaves' }),
  row('Halt', 'C', [], 'none', 'irq.safe_halt', 'Sets IF and waits for an interrupt.', { after: 'leaves' }),
  row('Reboot', 'C', args('how'), 'none', null, 'Resets the machine: 0 as INIT does, 1 all of it.',
    { served: 'host', after: 'leaves' }),
  row('Shutdown', 'C', [], 'none', null, 'Switches the machine off.', { served: 'host', after: 'leaves' }),
  row('SetPxE', 'C', args('entry', 'at: linear', 'flags: entry flags'), 'none', 'mmu.set_pte',
    'Stores a 32-bit page-table entry.', QUICK),
  row('SetPxELong', 'C', args('low', 'high', 'at: linear', 'flags: entry flags'), 'none', 'mmu.set_pte_atomic',
    'Stores a 64-bit page-table entry at once.', QUICK),
  row('UpdatePxE', 'C', args('at: linear', 'flags: entry flags'), 'none', 'mmu.pte_update',
    'The guest changed a 32-bit entry in memory.', { ...NEVER_FAULTS, ...QUICK }),
  row('UpdatePxELong', 'C', args('at: linear', 'flags: entry flags'), 'none', 'mmu.pte_update',
    'The guest changed a 64-bit entry in memory.', { ...NEVER_FAULTS, ...QUICK }),
  row('MachineToPhysical', 'C', args('address'), 'eax', null, 'The argument: there is no other space.',
    READS),
  row('PhysicalToMachine', 'C', args('address'), 'eax', null, 'The argument: there is no other space.',
    READS),
  row('AllocatePage', 'C', args('page: pfn', 'flags: page flags', 'clone: pfn', 'first', 'count'), 'none', 'mmu.alloc_pte',
    'A page becomes a page table.', NEVER_FAULTS),
  row('ReleasePage', 'C', args('page: pfn', 'flags: page flags'), 'none', 'mmu.release_pte',
    'A page is a page table no more.', NEVER_FAULTS),
  row('InvalPage', 'C', args('address: linear'), 'none', 'mmu.flush_tlb_single', 'INVLPG.',
    NEVER_FAULTS),
  row('FlushTLB', 'C', args('flags'), 'none', 'mmu.flush_tlb_user',
    'Bit 0: drops what is not global; bit 1: the global entries and kept address spaces as well.',
    NEVER_FAULTS),
  none('SetLinearMapping', 'C', 'Where page tables are mapped.',
    "the hypervisor walks the guest's page tables and needs no hint"),
  row('INL', 'X', [PORT], 'registers', null, 'IN EAX, DX.', PORTS),
  row('INB', 'X', [PORT], 'registers', null, 'IN AL, DX.', PORTS),
  row('INW', 'X', [PORT], 'registers', null, 'IN AX, DX.', PORTS),
  row('INSL', 'X', [PORT, COUNT], 'registers', null, 'REP INSD to EDI.', { after: 'leaves' }),
  row('INSB', 'X', [PORT, COUNT], 'registers', null, 'REP INSB to EDI.', { after: 'leaves' }),
  row('INSW', 'X', [PORT, COUNT], 'registers', null, 'REP INSW to EDI.', { after: 'leaves' }),
  row('OUTL', 'X', [PORT, VALUE], 'none', null, 'OUT DX, EAX.', PORTS),
  row('OUTB', 'X', [PORT, VALUE], 'none', null, 'OUT DX, AL.', PORTS),
  row('OUTW', 'X', [PORT, VALUE], 'none', null, 'OUT DX, AX.', PORTS),
  row('OUTSL', 'X', [PORT, COUNT], 'registers', null, 'REP OUTSD from ESI.', { after: 'leaves' }),
  row('OUTSB', 'X', [PORT, COUNT], 'registers', null, 'REP OUTSB from ESI.', { after: 'leaves' }),
  row('OUTSW', 'X', [PORT, COUNT], 'registers', null, 'REP OUTSW from ESI.', { after: 'leaves' }),
  row('SetIOPLMask', 'C', args('mask'), 'none', 'cpu.set_iopl_mask',
    'IOPL becomes bits 12 and 13.', READS),
  row('SetInitialAPState', 'C', args('state: linear', 'id'), 'none', 'apic.startup_ipi_hook',
    'Copies the state in which a processor is to start.', { after: 'events' }),
  row('APICWrite', 'C', args('register: register', 'value'), 'none', 'apic.write',
    'Writes a local APIC register, given as offset or address.', HOST),
  row('APICRead', 'C', args('register: register'), 'eax', 'apic.read',
    'Reads a local APIC register, given as offset or address.', HOST),
  row('IODelay', 'C', [], 'none', 'cpu.io_delay', 'Waits for a slow ISA device.',
    { answer: 'NOP', served: 'nobody', reason: 'no device is slow', after: 'nothing',
      otherwise: { without: 'delay', answer: 'NONE' } }),
  row('GetCycleFrequency', 'C', [], 'edx:eax', 'time.get_tsc_khz', 'Cycles a second.',
    { ...TIMER, served: 'host', after: 'nothing' }),
  row('GetCycleCounter', 'C', args('counter: counter'), 'edx:eax', 'time.sched_clock',
    'Cycles: 0 real, 1 available, 2 stolen; 0 for another counter.',
    { ...TIMER, after: 'events', neverFaults: true }),
  row('SetAlarm', 'C', args('flags: alarm flags', 'expiry low', 'expiry high', 'period low', 'period high'),
    'none', 'time.set_alarm', 'Arms the alarm of a counter.', { ...HOST, ...TIMER }),
  row('CancelAlarm', 'C', args('flags: alarm flags'), 'eax', 'time.cancel_alarm',
    '1 if the alarm of the counter was armed.', { ...HOST, ...TIMER }),
  row('GetWallclockTime', 'C', [], 'edx:eax', 'time.get_wallclock',
    'Nanoseconds since 1970 in UTC.', { ...TIMER, served: 'host', after: 'nothing' }),
  row('WallclockUpdated', 'C', [], 'eax', null,
    '1 if the wall clock was changed since the last call.',
    { ...TIMER, served: 'host', after: 'nothing' }),
  none('SetCallbacks', 'C', 'Unknown.', 'no published text says what it does, and no kernel calls it'),
  row('SetLazyMode', 'C', args('mode'), 'none', 'mmu.lazy_mode',
    '0: what was put off is done now; 1: page-table updates may wait; 2: processor state may.',
    { answer: 'NONE', reason: 'nothing waits', after: 'nothing', neverFaults: true, inline: 'nothing',
      otherwise: { without: 'eager', answer: 'CALL' } }),
];

export const CALLS: readonly Call[] = ROWS.map((call, number) => ({ number, ...call }));

export function callNamed(name: string): Call {
  const found = CALLS.find((call) => call.name === name);
  if (found === undefined) throw new RangeError(`no VMI call ${name}`);
  return found;
}

/** Instructions a routine retires, the guest's CALL not counted; VMCALL returns by itself. */
export const ROUTINE_LENGTH = 2;
