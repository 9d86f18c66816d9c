/** A guest that makes a list of calls with arguments of no sense, and logs what becomes of each. */
import { CALLS } from '../../host/vmi/calls.ts';
import type { Random } from '../native/random.ts';
import { EQUAL, IRET, type Assembler } from './assembler.ts';
import {
  DATA,
  DATA_END,
  GDT,
  HIGH,
  IDT,
  KERNEL_CS,
  MEMORY,
  PROGRAM,
  ROOT,
  routine,
  STACK,
  TSS,
  USER_CODE,
  USER_CS,
  USER_DATA,
  USER_DS,
  USER_PHYSICAL,
  USER_ROM,
  VARIABLES,
  type Guest,
} from './guest.ts';
import { ROM_ADDRESS } from '../../host/vmi/rom.ts';

/** Vectors whose handlers log and go on with the next call. */
const VECTORS = [...new Array(33).keys(), 0x80];
const LIST = 0x180000;
const NEXT = VARIABLES;
const TARGET = VARIABLES + 4;
const LOG_END = VARIABLES + 8;
const REGISTERS = VARIABLES + 0x40;
export const LOG = DATA;
export const LOG_LIMIT = DATA_END;

/** EAX ECX EDX EBX EBP ESI EDI, and two words on the stack. */
export interface FuzzCall {
  /** Of a call; a name of one of `OTHER` besides. */
  name: string;
  words: number[];
}

/** VMCALL by itself, with the number that EAX holds. */
const OTHER = ['vmcall', 'vmcall without a stack'] as const;

export function fuzzProgram(a: Assembler): void {
  a.jump('begin');
  for (const vector of VECTORS) a.label(`vector ${vector}`).push(vector).jump('trap');
  a.label('log').load('edi', LOG_END).emit(0xab).store(LOG_END, 'edi').emit(0xc3);
  a.label('trap').emit(0xfc).loadSegment(3, USER_DS).loadSegment(0, USER_DS);
  for (let i = 0; i < 4; i++) a.emit(0x58).call('log');
  a.emit(0x0f, 0x20, 0xd0).call('log').jump('next');
  for (const { name } of CALLS) a.label(name).call(routine(name)).jump('done');
  a.label('vmcall').push('done').emit(0x50, 0x0f, 0x01, 0xc1).jump('next');
  a.label('vmcall without a stack').emit(0x89, 0xc4, 0x0f, 0x01, 0xc1).jump('done');
  // Ring 3, at EAX.
  a.label('user')
    .push(USER_DS)
    .push(USER_DATA + 0x800)
    .push(2)
    .push(USER_CS)
    .emit(0x50, IRET);
  a.label('done').emit(0xfc);
  ['eax', 'ecx', 'edx', 'ebx', 'ebp', 'esi', 'edi', 'esp'].forEach((register, i) =>
    a.store(REGISTERS + 4 * i, register as 'eax'),
  );
  a.emit(0x9c, 0x58).store(REGISTERS + 32, 'eax');
  a.mov('esi', REGISTERS).load('edi', LOG_END).mov('ecx', 9).emit(0xf3, 0xa5);
  a.store(LOG_END, 'edi');
  a.label('next').mov('esp', STACK).load('esi', NEXT).emit(0x8b, 0x06); // mov eax, [esi]
  a.emit(0x85, 0xc0).jumpIf(EQUAL, 'end').store(TARGET, 'eax');
  a.emit(0xff, 0x76, 36, 0xff, 0x76, 32); // push [esi+36]; push [esi+32]
  a.emit(0x83, 0x05).emitAddress(NEXT).emit(40);
  a.emit(0x8b, 0x46, 4, 0x8b, 0x4e, 8, 0x8b, 0x56, 12, 0x8b, 0x5e, 16, 0x8b, 0x6e, 20);
  a.emit(0x8b, 0x7e, 28, 0x8b, 0x76, 24, 0xff, 0x25).emitAddress(TARGET);
  a.label('begin').set(NEXT, LIST).set(LOG_END, LOG).jump('next').label('end');
}

export function loadFuzz(guest: Guest, calls: readonly FuzzCall[], user?: Uint8Array): void {
  guest.load(fuzzProgram, (_, a) => {
    for (const vector of VECTORS) guest.gate(vector, a.addressOf(`vector ${vector}`));
    if (user) guest.machine.cpu.ram().set(user, USER_PHYSICAL);
    calls.forEach(({ name, words }, i) => {
      [a.addressOf(name), ...words].forEach((word, j) =>
        guest.view.setUint32(LIST + 40 * i + 4 * j, word, true),
      );
    });
  });
}

// --- Arguments -----------------------------------------------------------------------------------

const PLACES = [
  ...[0, DATA, DATA + 0xffd, DATA_END, TSS, STACK - 8, VARIABLES, MEMORY - 2, MEMORY],
  ...[HIGH, HIGH + DATA, HIGH + MEMORY - 1, 0xfffffffe, USER_DATA, GDT, IDT],
];
/**
 * Code, ROM, devices, page tables: an access is made by a turn of its own, so that instructions count
 * differently; and where the page of a CALL is taken away, it cannot be said where it was.
 */
const WILD_PLACES = [
  ...PLACES,
  ...[LIST, PROGRAM, ROM_ADDRESS, HIGH + ROM_ADDRESS + 0x200, USER_ROM, USER_CODE],
  ...[ROOT, 0xfee00000, 0xa0000, 0xb8000],
];
const SELECTORS = [0, 3, 0x50, 0x60, 0x68, 0x73, 0x7b, 0x80, 0x88, 0x8c, 0x90, 0xfff8];
const MSRS = [0x10, 0x1b, 0x174, 0x175, 0x176, 0x277, 0xfe, 0xc0000080, 0x4b564d00];
/** Not those that switch the machine off or reset it: what follows would not run. */
const PORTS = [0x20, 0x21, 0x40, 0x43, 0x70, 0x71, 0xa1, 0x3f8, 0x3fd, 0xcf8, 0xcfc, 0x1f7, 0xed];

function word(random: Random, wild: boolean): number {
  switch (random.int(8)) {
    case 0:
      return random.int(8);
    case 1:
      return random.pick(SELECTORS);
    case 2:
    case 3:
      return (random.pick(wild ? WILD_PLACES : PLACES) + random.between(-8, 8)) >>> 0;
    case 4:
      return random.pick(MSRS);
    case 5:
      return (DATA + random.int(0x100000)) >>> 0;
    default:
      return random.edge(32);
  }
}

/** @param wild also what has tiers count instructions differently: see WILD_PLACES */
export function randomCall(random: Random, name: string, wild: boolean): FuzzCall {
  const words = Array.from({ length: 9 }, () => word(random, wild));
  const [EAX, ECX, EDX] = [0, 1, 2];
  if (/^(IN|OUT)[LBWS]/.test(name)) {
    words[EDX] = random.chance(0.8) ? random.pick(PORTS) : random.int(0x400);
    // Each is a call of the host: no more than a few turns.
    words[ECX] = random.int(random.chance(0.1) ? 3000 : 20);
  }
  if (/MSR$/.test(name)) words[ECX] = random.chance(0.9) ? random.pick(MSRS) : random.bits();
  if (name === 'IRET' && random.chance(0.7)) {
    words[7] = random.pick([USER_CODE, DATA, ROM_ADDRESS]);
    words[8] = random.pick([KERNEL_CS, USER_CS, ...SELECTORS]);
  }
  if (name === 'vmcall' && random.chance(0.7)) words[EAX] = random.int(90);
  return { name, words };
}

/** A REP: made again when it did not end in one turn, as an instruction of its own. */
export const isString = (name: string): boolean => /^(IN|OUT)S[LBW]$/.test(name);

/** Calls after which little else may be tried; they come last. */
const LAST = new Set([
  ...['SetGDT', 'SetIDT', 'SetCR0', 'SetCR3', 'SetCR4', 'Reboot', 'Shutdown', 'Halt'],
  ...['vmcall without a stack', 'IRET', 'WriteGDTEntry', 'WriteIDTEntry', 'SetTR'],
]);

/** A list in which each call is made several times, the dangerous ones at the end. */
export function randomCalls(random: Random, count: number, wild: boolean): FuzzCall[] {
  const names = [...CALLS.map(({ name }) => name), ...OTHER];
  const harmless = names.filter((name) => !LAST.has(name) && (wild || !isString(name)));
  const few = Array.from({ length: 6 }, () => random.pick(harmless));
  const calls = Array.from({ length: count }, () => randomCall(random, random.pick(few), wild));
  for (const name of [random.pick([...LAST]), random.pick([...LAST])]) {
    for (let i = 0; i < 4; i++) calls.push(randomCall(random, name, wild));
  }
  return calls;
}
