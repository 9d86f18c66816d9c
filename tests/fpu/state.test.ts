/** What the processor under the tests cannot show: waiting exceptions, faults, real-mode layouts. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as L from '../../assembly/shared/layout.ts';
import { MODE_PROTECTED } from '../../assembly/shared/modes.ts';
import { MF, NM } from '../../assembly/shared/faults.ts';
import { OPERAND, OPERAND_AT, Unit, compileUnit } from './unit.ts';

const PENDING = 2;
const MP = 2;
const EM = 4;
const TS = 8;

describe('x87 state', () => {
  let unit: Unit;
  let word: (address: number) => number;
  let set: (address: number, value: number) => void;
  let call: (name: string, ...args: unknown[]) => unknown;

  beforeAll(async () => {
    unit = new Unit(await compileUnit());
    word = (address) => unit.view.getUint32(address, true);
    set = (address, value) => unit.view.setUint32(address, value, true);
    call = (name, ...args) => unit.exports[name]!(...args);
  });

  beforeEach(() => {
    set(L.MODE, MODE_PROTECTED);
    set(L.CR0, 0);
    set(L.FAULT_PENDING, 0);
    set(L.FPU_BLOCKED, 0);
    call('fninit');
  });

  it('lets an unmasked exception wait for the next instruction', () => {
    call('fldcw', 0x37b);
    call('fld1');
    call('fldz');
    call('fdivp', 1);
    expect(word(L.FPU_BLOCKED)).toBe(PENDING);
    expect(call('fnstsw')).toBe(0xb084);
    call('fnclex');
    expect(word(L.FPU_BLOCKED)).toBe(0);
    expect(call('fnstsw')).toBe(0x3000);
  });

  it('lets FLDCW unmask what already stands', () => {
    call('fld1');
    call('fldz');
    call('fdivp', 1);
    expect(word(L.FPU_BLOCKED)).toBe(0);
    call('fldcw', 0x37b);
    expect(word(L.FPU_BLOCKED)).toBe(PENDING);
    call('fldcw', 0x37f);
    expect(word(L.FPU_BLOCKED)).toBe(0);
  });

  it('keeps the other reasons to block', () => {
    set(L.FPU_BLOCKED, 1);
    call('fldcw', 0x37b);
    call('fld1');
    call('fldz');
    call('fdivp', 1);
    expect(word(L.FPU_BLOCKED)).toBe(PENDING | 1);
    call('fninit');
    expect(word(L.FPU_BLOCKED)).toBe(1);
  });

  it('raises in FWAIT for TS with MP, and for a waiting exception', () => {
    const outcome = (cr0: number, blocked: number) => {
      set(L.CR0, cr0);
      set(L.FPU_BLOCKED, blocked);
      set(L.FAULT_PENDING, 0);
      try {
        call('fwait');
        return null;
      } catch {
        return word(L.FAULT_VECTOR);
      }
    };
    expect(outcome(0, 0)).toBe(null);
    expect(outcome(TS, 1)).toBe(null);
    expect(outcome(EM | MP, 1)).toBe(null);
    expect(outcome(TS | MP, 1)).toBe(NM);
    expect(outcome(TS | MP, 3)).toBe(NM);
    expect(outcome(MP, 2)).toBe(MF);
  });

  it('changes nothing before a store is done', () => {
    call('fldpi');
    call('fst_m32', OPERAND);
    expect(call('fnstsw')).toBe(0x3800);
    call('fpu_stored_pop');
    expect(call('fnstsw')).toBe(0x0220);
    call('fldpi');
    const missing = OPERAND + 0x100000;
    for (const name of ['fstp_m80', 'fbstp', 'fnsave32', 'fnstenv32'])
      expect(() => call(name, missing)).toThrow();
    expect(call('fnstsw')).toBe(0x3820);
    expect(call('fnstcw')).toBe(0x37f);
  });

  it('stores linear addresses in real mode', () => {
    set(L.MODE, 0);
    set(L.FPU_CS, 0x1234);
    set(L.FPU_IP, 0x5678);
    set(L.FPU_DS, 0xf000);
    set(L.FPU_DP, 0x0123);
    set(L.FPU_OPCODE, 0x5c1);
    const half = (i: number) => unit.view.getUint16(OPERAND_AT + 2 * i, true);
    call('fnstenv16', OPERAND);
    expect([3, 4, 5, 6].map(half)).toEqual([0x79b8, 0x15c1, 0x0123, 0xf000]);
    call('fnstenv32', OPERAND);
    const full = (i: number) => word(OPERAND_AT + 4 * i);
    expect([3, 4, 5, 6].map(full)).toEqual([0xffff79b8, 0x15c1, 0xffff0123, 0xf000]);
    call('fninit');
    call('fldenv32', OPERAND);
    expect(word(L.FPU_IP) + word(L.FPU_CS) * 16).toBe(0x179b8);
    expect(word(L.FPU_DP) + word(L.FPU_DS) * 16).toBe(0xf0123);
    expect(word(L.FPU_OPCODE)).toBe(0x5c1);
  });

  it('keeps the opcode of the instruction with an unmasked exception', () => {
    call('fldcw', 0x37b);
    set(L.EIP_CURRENT, OPERAND);
    set(OPERAND_AT, 0xf9de2e); // cs: fdivp
    call('fld1');
    call('fldz');
    expect(word(L.FPU_OPCODE)).toBe(0);
    call('fdivp', 1);
    expect(word(L.FPU_OPCODE)).toBe(0x6f9);
  });
});
