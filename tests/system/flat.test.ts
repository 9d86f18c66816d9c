/**
 * The quick ways of assembly/cpu/flat.ts against the general ones: an INT and an IRET with tables that are
 * nearly right, once with all they touch in the TLB, once with an empty one, which leaves them to the
 * general functions. The state and the memory after it must be the same. So it is with what translated code
 * calls to load a segment register, and the interpreter's MOV.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { CPL, HALTED, MODE } from '../../assembly/shared/layout.ts';
import { EXIT_BUDGET, EXIT_HALT } from '../../assembly/shared/exits.ts';
import { SEGMENT_ELSEWHERE, SEGMENT_LOADED, SEGMENT_NOT } from '../../assembly/shared/regions.ts';
import { AC, CF, IF, IOPL, NT, RF, ZF } from '../../assembly/shared/flags.ts';
import type { Cpu } from '../../host/cpu.ts';
import { REGISTER_NAMES, SEGMENT_NAMES } from '../../host/state.ts';
import { SEED } from '../lib/seed.ts';
import { bareCpu, enterFlat } from '../lib/tiers.ts';
import { RAM_SIZE } from '../lib/usermode.ts';
import { Random } from '../native/random.ts';

const CASES = 1500;

// A page each; nothing else is looked at.
const [CODE, GDT, IDT, TSS, STACK0, STACK3] = [
  0x10000, 0x11000, 0x12000, 0x13000, 0x14000, 0x16000,
];
const END = 0x18000;
/** HLT, where every gate leads: vector v to HANDLERS + v. */
const HANDLERS = CODE + 0x800;
const VECTOR = 0x80;

// Selectors: the GDT's descriptors in order.
const [CODE0, DATA0, CODE3, DATA3, CONFORMING] = [0x08, 0x10, 0x1b, 0x23, 0x28];
const DESCRIPTORS = [
  [0, 0],
  [0xffff, 0xcf9b00],
  [0xffff, 0xcf9300],
  [0xffff, 0xcffb00],
  [0xffff, 0xcff300],
  [0xffff, 0xcf9f00],
];
const SELECTORS = [
  0,
  3,
  4,
  0x10000 - 8,
  CODE0,
  DATA0,
  CODE3,
  DATA3,
  CONFORMING,
  CONFORMING + 3,
  CODE0 + 3,
  0x30,
];

let cpu: Cpu;
beforeAll(async () => {
  cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  cpu.ram().fill(0xf4);
});

/** Reads and writes each page once, so that the supervisor's TLB knows it. */
function warm(): void {
  const ram = cpu.ram();
  const code = [];
  for (let page = CODE + 0x1000; page < END; page += 0x1000)
    code.push(0x80, 0x0d, page & 0xff, (page >> 8) & 0xff, page >> 16, 0, 0); // or byte [page], 0
  ram.set([...code, 0xf4], CODE);
  cpu.codeWritten(CODE, CODE + 0x1000);
  cpu.reset();
  enterFlat(cpu, CODE);
  expect(cpu.run(1000)).toBe(EXIT_HALT);
  new Uint32Array(cpu.memory.buffer)[HALTED >> 2] = 0;
}

/** One bit of a word, or none. */
function flip(r: Random, value: number, chance: number): number {
  return r.chance(chance) ? (value ^ (1 << r.int(32))) >>> 0 : value >>> 0;
}

/** An address in a stack's page, mostly with room below and above it. */
function stackPointer(r: Random, page: number): number {
  if (r.chance(0.8)) return page + 0x800 + 4 * r.int(16);
  return r.pick([page, page + 8, page + 18, page + 0xff8, RAM_SIZE + 0x100000, 0, 4]);
}

/** Memory and registers for one case; what it is to execute. */
function prepare(r: Random, returns: boolean): void {
  const ram = cpu.ram();
  const view = new DataView(ram.buffer, ram.byteOffset, ram.length);
  // HLT wherever a wrong base leads.
  ram.fill(0xf4, CODE, END);
  ram.set(returns ? [0xcf] : [0xcd, VECTOR], CODE);
  const wild = r.chance(0.7) ? 0.06 : 0;
  const put = (at: number, value: number) => view.setUint32(at, value, true);
  DESCRIPTORS.forEach(([low, high], i) => {
    put(GDT + 8 * i, flip(r, low!, wild));
    put(GDT + 8 * i + 4, flip(r, high!, wild));
  });
  for (let vector = 0; vector < 256; vector++) {
    const mine = vector === VECTOR;
    const type = mine && r.chance(0.3) ? 0xef00 : 0xee00;
    const selector = mine && r.chance(wild) ? r.pick(SELECTORS) : CODE0;
    put(
      IDT + 8 * vector,
      flip(r, (selector << 16) | ((HANDLERS + vector) & 0xffff), mine ? wild : 0),
    );
    put(IDT + 8 * vector + 4, flip(r, (HANDLERS & 0xffff0000) | type, mine ? 2 * wild : 0));
  }
  put(TSS + 4, stackPointer(r, STACK0));
  put(TSS + 8, r.chance(wild) ? r.pick(SELECTORS) : DATA0);

  const { state } = cpu;
  const ring3 = !returns && r.chance(0.6);
  const flat = { base: 0, limit: 0xffffffff };
  const level = ring3 ? 3 : 0;
  state.eip = CODE;
  state.setSegment('cs', {
    ...flat,
    selector: ring3 ? CODE3 : CODE0,
    access: ring3 ? 0xc0fb00 : 0xc09b00,
  });
  state.setSegment('ss', {
    ...flat,
    selector: ring3 ? DATA3 : DATA0,
    access: ring3 ? 0xc0f300 : 0xc09300,
  });
  for (const name of ['es', 'ds', 'fs', 'gs'] as const) {
    const access = r.chance(wild) ? r.pick([0, 0xc09300, 0xc09f00, 0x40f300]) : 0xc0f300;
    state.setSegment(name, { ...flat, selector: DATA3, access });
  }
  const tss = r.chance(wild) ? r.pick([0x8100, 0x0b00, 0x8300]) : 0x8b00;
  state.setSegment('tr', {
    base: TSS,
    limit: r.chance(wild) ? r.pick([3, 8, 9, 11]) : 0x67,
    selector: 0x30,
    access: tss,
  });
  state.gdtr = { base: GDT, limit: r.chance(wild) ? r.pick([7, 0x0e, 0x17, 0x27]) : 0x37 };
  state.idtr = { base: IDT, limit: r.chance(wild) ? r.pick([0x7f, 0x400, 0x406]) : 0x7ff };
  state.cpl = level;
  const bits = [CF, ZF, IF, RF, AC, IOPL, r.chance(wild) ? NT : 0];
  state.eflags = bits.reduce((flags, bit) => (r.chance(0.4) ? flags | bit : flags), 2);
  for (const name of REGISTER_NAMES) state.setRegister(name, r.bits());
  const esp = stackPointer(r, ring3 ? STACK3 : STACK0);
  state.setRegister('esp', esp);
  if (returns && esp + 20 < END && esp >= STACK0) {
    const outer = r.chance(0.6);
    const selector = (usual: number) => (r.chance(wild) ? r.pick(SELECTORS) : usual);
    put(esp, HANDLERS + 1);
    put(esp + 4, selector(outer ? CODE3 : CODE0) | (r.bits() << 16));
    put(esp + 8, r.bits() & (0x3fffff ^ 0x20100)); // not VM, not TF
    put(esp + 12, stackPointer(r, STACK3));
    put(esp + 16, selector(DATA3) | (r.bits() << 16));
  }
  cpu.codeWritten(CODE, CODE + 0x1000);
}

/** All that an event or a return can change. */
function outcome(exit: number): string {
  const { state } = cpu;
  const words = new Uint32Array(cpu.memory.buffer);
  const hex = (value: number) => (value >>> 0).toString(16);
  const lines = [
    `exit ${exit} eip ${hex(state.eip)} eflags ${hex(state.eflags)} cpl ${words[CPL >> 2]}`,
  ];
  lines.push(`mode ${hex(words[MODE >> 2]!)} cr2 ${hex(state.cr2)}`);
  for (const name of REGISTER_NAMES) lines.push(`${name} ${hex(state.register(name))}`);
  for (const name of SEGMENT_NAMES) {
    const { selector, base, limit, access } = state.segment(name);
    lines.push(`${name} ${[selector, base, limit, access].map(hex).join(' ')}`);
  }
  const ram = cpu.ram();
  for (let at = GDT; at < END; at += 4) {
    const word = ram.subarray(at, at + 4);
    if (word.some((byte) => byte !== 0xf4))
      lines.push(`${hex(at)} ${Buffer.from(word).toString('hex')}`);
  }
  return lines.join('\n');
}

describe.each([
  ['INT', false],
  ['IRET', true],
])('%s', (name, returns) => {
  it(`the same with and without the TLB, ${CASES} times, VMI86_SEED=${SEED}`, () => {
    const ways = new Map<string, number>();
    for (let i = 0; i < CASES; i++) {
      const run = (flushed: boolean) => {
        warm();
        prepare(new Random(SEED, `${name} ${i}`), returns);
        if (flushed) cpu.exports.flushTlb(1);
        const exit = cpu.run(20);
        // From fault to fault, and how many of them fit in depends on those of the case before.
        return exit === EXIT_BUDGET ? 'without end' : outcome(exit);
      };
      const quick = run(false);
      const way = `${cpu.state.eip - HANDLERS} ${cpu.state.segment('cs').selector & 3}`;
      ways.set(way, (ways.get(way) ?? 0) + 1);
      expect(quick, `case ${i}`).toBe(run(true));
    }
    // Most arrive; the rest fault in many ways.
    const [most] = [...ways.values()].sort((a, b) => b - a);
    expect(most).toBeGreaterThan(CASES / 3);
    expect(ways.size).toBeGreaterThan(5);
  });
});

describe('a load of a segment register', () => {
  it(`the same quickly and by MOV, ${CASES} times, VMI86_SEED=${SEED}`, () => {
    const counts = new Map<number, number>();
    for (let i = 0; i < CASES; i++) {
      const begin = () => {
        const r = new Random(SEED, `segment ${i}`);
        warm();
        prepare(r, false);
        const segment = r.pick([0, 3, 4, 5]);
        const selector = r.pick([...SELECTORS, DATA0, DATA3, DATA3, DATA3]);
        // mov sreg, ax
        cpu.ram().set([0x8e, 0xc0 | (segment << 3)], CODE);
        cpu.state.setRegister('eax', selector);
        return { segment, selector, mode: new Uint32Array(cpu.memory.buffer)[MODE >> 2]! };
      };
      const { segment, selector, mode } = begin();
      const before = outcome(0);
      const load = cpu.exports['quickSegment'] as (segment: number, selector: number) => number;
      const result = load(segment, selector);
      counts.set(result, (counts.get(result) ?? 0) + 1);
      const quick = outcome(0);
      if (result === SEGMENT_NOT) {
        expect(quick, `case ${i}`).toBe(before);
        continue;
      }
      const other = new Uint32Array(cpu.memory.buffer)[MODE >> 2] !== mode;
      expect(result, `case ${i}`).toBe(other ? SEGMENT_ELSEWHERE : SEGMENT_LOADED);
      begin();
      cpu.run(1);
      expect(cpu.state.eip, `case ${i}`).toBe(CODE + 2);
      cpu.state.eip = CODE;
      expect(quick, `case ${i}`).toBe(outcome(0));
    }
    expect(counts.get(SEGMENT_LOADED)).toBeGreaterThan(CASES / 4);
    expect(counts.get(SEGMENT_NOT)).toBeGreaterThan(CASES / 10);
    expect(counts.get(SEGMENT_ELSEWHERE)).toBeGreaterThan(CASES / 100);
  });
});
