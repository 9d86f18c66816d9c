/**
 * What the manual leaves undefined, and what each instruction writes and reads of EFLAGS and of the
 * x87 condition codes, per instruction: the one table by which a comparison with the processor
 * leaves anything out. A program's masks follow from its instructions (program.ts): an undefined
 * flag stays out of the comparison until something defines it again, and is never read before.
 *
 * "SDM" is the Intel 64 and IA-32 Architectures Software Developer's Manual; the page of an
 * instruction in volume 2, section "Flags Affected" or "FPU Flags Affected", unless another place
 * is given.
 */
import { AF, ARITHMETIC, CF, OF, PF, SF, ZF } from '../../assembly/shared/flags.ts';

export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
const CODES = C0 | C1 | C2 | C3;

export interface Effects {
  /** EFLAGS bits left undefined, written, read. */
  undefined: number;
  writes: number;
  reads: number;
  /** The same of the x87 status word's condition codes. */
  fpuUndefined: number;
  fpuWrites: number;
  fpuReads: number;
}

/** What an instruction's masks can depend on. */
export interface Detail {
  /** Operand size in bits. */
  size?: number;
  /** Shift count as encoded, or -1 when it is not known while generating. */
  count?: number;
  /** The condition of Jcc, SETcc, CMOVcc. */
  cc?: number;
}

type Row = Partial<Effects> | ((detail: Detail) => Partial<Effects>);

const writes = (bits: number, more: Partial<Effects> = {}): Row => ({ writes: bits, ...more });
const logic = writes(ARITHMETIC & ~AF, { undefined: AF });
const reads = (bits: number): Row => ({ reads: bits });

/** SAL/SAR/SHL/SHR: OF defined for one-bit shifts only; AF undefined; CF undefined for SHL and SHR past the operand. */
function shift({ size = 32, count = -1 }: Detail, arithmetic: boolean): Partial<Effects> {
  if (count < 0) return { undefined: OF | AF | (arithmetic || size === 32 ? 0 : CF) };
  count &= 31;
  if (count === 0) return {};
  const lost = (count === 1 ? 0 : OF) | AF | (count >= size && !arithmetic && size < 32 ? CF : 0);
  return { undefined: lost, writes: ARITHMETIC & ~lost };
}

/** RCL/RCR/ROL/ROR: CF always defined, OF for one-bit rotates only, the others untouched. */
function rotate({ count = -1 }: Detail, carry: boolean): Partial<Effects> {
  const through = carry ? CF : 0;
  if (count < 0) return { undefined: OF, reads: through };
  count &= 31;
  if (count === 0) return { reads: through };
  return { undefined: count === 1 ? 0 : OF, writes: count === 1 ? CF | OF : CF, reads: through };
}

/** SHLD/SHRD: as shifts; a count beyond the operand leaves everything undefined and is not generated. */
function double({ count = -1 }: Detail): Partial<Effects> {
  if (count < 0) return { undefined: OF | AF };
  count &= 31;
  if (count === 0) return {};
  const lost = (count === 1 ? 0 : OF) | AF;
  return { undefined: lost, writes: ARITHMETIC & ~lost };
}

/** SDM vol. 1 appendix B: the flags each condition tests. */
const CONDITIONS = [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, ZF | SF | OF];
const condition: Row = ({ cc = 0 }) => ({ reads: CONDITIONS[cc >> 1] });

/** Most x87 instructions: C1 tells rounding or stack faults, the other three are undefined. */
const x87: Row = { fpuUndefined: CODES & ~C1, fpuWrites: C1 };
const x87Nothing: Row = { fpuUndefined: CODES };
const x87Compare: Row = { fpuWrites: CODES };

export const MASKS: Record<string, Row> = {
  // --- integer, SDM vol. 2A and 2B ---
  NONE: {},
  ADD: writes(ARITHMETIC),
  ADC: writes(ARITHMETIC, { reads: CF }),
  SUB: writes(ARITHMETIC),
  SBB: writes(ARITHMETIC, { reads: CF }),
  CMP: writes(ARITHMETIC),
  NEG: writes(ARITHMETIC),
  XADD: writes(ARITHMETIC),
  CMPXCHG: writes(ARITHMETIC),
  INC: writes(ARITHMETIC & ~CF),
  DEC: writes(ARITHMETIC & ~CF),
  AND: logic,
  OR: logic,
  XOR: logic,
  TEST: logic,
  SHL: (d) => shift(d, false),
  SHR: (d) => shift(d, false),
  SAR: (d) => shift(d, true),
  ROL: (d) => rotate(d, false),
  ROR: (d) => rotate(d, false),
  RCL: (d) => rotate(d, true),
  RCR: (d) => rotate(d, true),
  SHLD: double,
  SHRD: double,
  MUL: writes(CF | OF, { undefined: SF | ZF | AF | PF }),
  IMUL: writes(CF | OF, { undefined: SF | ZF | AF | PF }),
  DIV: { undefined: ARITHMETIC },
  IDIV: { undefined: ARITHMETIC },
  // The destination for a zero source is "undefined" too; every processor leaves it alone, and
  // programs depend on it (the manual's footnote in later editions says so), so it is compared.
  BSF: writes(ZF, { undefined: ARITHMETIC & ~ZF }),
  BSR: writes(ZF, { undefined: ARITHMETIC & ~ZF }),
  BT: writes(CF, { undefined: OF | SF | AF | PF }),
  BTS: writes(CF, { undefined: OF | SF | AF | PF }),
  BTR: writes(CF, { undefined: OF | SF | AF | PF }),
  BTC: writes(CF, { undefined: OF | SF | AF | PF }),
  CMPXCHG8B: writes(ZF),
  DAA: writes(ARITHMETIC & ~OF, { undefined: OF, reads: CF | AF }),
  DAS: writes(ARITHMETIC & ~OF, { undefined: OF, reads: CF | AF }),
  AAA: writes(CF | AF, { undefined: OF | SF | ZF | PF, reads: AF }),
  AAS: writes(CF | AF, { undefined: OF | SF | ZF | PF, reads: AF }),
  AAM: writes(SF | ZF | PF, { undefined: OF | AF | CF }),
  AAD: writes(SF | ZF | PF, { undefined: OF | AF | CF }),
  JCC: condition,
  SETCC: condition,
  CMOVCC: condition,
  LOOPCC: reads(ZF),
  INTO: reads(OF),
  // A repeat count of zero compares nothing and leaves the flags: they are not counted as written.
  CMPS: {},
  /** MOVUPS and the like. */
  UNALIGNED: {},
  SCAS: {},
  PUSHF: reads(ARITHMETIC),
  POPF: writes(ARITHMETIC),
  IRET: writes(ARITHMETIC),
  LAHF: reads(ARITHMETIC & ~OF),
  SAHF: writes(ARITHMETIC & ~OF),
  CLC: writes(CF),
  STC: writes(CF),
  CMC: writes(CF, { reads: CF }),
  SALC: reads(CF),
  LAR: writes(ZF),
  LSL: writes(ZF),
  VERR: writes(ZF),
  VERW: writes(ZF),
  ARPL: writes(ZF),
  COMIS: writes(ARITHMETIC),

  // --- x87, SDM vol. 2A; table 8-1 of vol. 1 for the condition codes ---
  X87: x87,
  X87_NOTHING: x87Nothing,
  X87_COMPARE: x87Compare,
  // FCOMI and FUCOMI: AF, SF and OF are cleared like the others are written (P6 and later).
  X87_COMPARE_FLAGS: { writes: ARITHMETIC, fpuWrites: C1 },
  FCMOV: { ...x87, reads: ZF | PF | CF },
  // Transcendentals with C2 as "operand out of range".
  FSIN: { fpuUndefined: C0 | C3, fpuWrites: C1 | C2 },
  // C1 and the quotient's bits mean nothing while C2 says "incomplete".
  FPREM: { fpuWrites: CODES },
  FXAM: { fpuWrites: CODES },
  FNINIT: { fpuWrites: CODES },
  FLDENV: { fpuWrites: CODES },
  // Stores the status word: C0 to C3 are read first, whatever becomes of them after.
  FNSTSW: { fpuReads: CODES, fpuUndefined: CODES },
  FNSTENV: { fpuReads: CODES, fpuUndefined: CODES },
  FNSAVE: { fpuReads: CODES, fpuWrites: CODES },
  FXSAVE: { fpuReads: CODES },
  FXRSTOR: { fpuWrites: CODES },
  // MMX leaves the status word alone but for TOP (SDM vol. 1 9.6.2).
  MMX: {},
  // CVT(T)PS2PI, CVT(T)PD2PI, CVTPI2PS, CVTPI2PD: see EITHER_MMX.
  TO_MMX: {},
};

export function effects(op: string, detail: Detail = {}): Effects {
  const row = MASKS[op];
  if (!row) throw new Error(`masks.ts has no row ${op}`);
  return {
    undefined: 0,
    writes: 0,
    reads: 0,
    fpuUndefined: 0,
    fpuWrites: 0,
    fpuReads: 0,
    ...(typeof row === 'function' ? row(detail) : row),
  };
}

/**
 * Pushing a segment register with a 32-bit operand either zero-extends it or writes its 16 bits
 * only, and both are right (SDM vol. 2B, PUSH: newer processors do the latter; vol. 3A 22.31.1 on
 * far calls). Items that do it are marked `selectors`, and a byte that the processor left as it was
 * may be zero here.
 */
export const SELECTOR_PUSHES =
  'SDM vol. 2B PUSH: a segment register pushed as 32 bits may leave the upper half alone';

/**
 * A page fault inside a repeated CMPS or SCAS: the flags are those from before the instruction (SDM
 * vol. 2B, REP); AMD's processors keep the last iteration's.
 */
export const EITHER_FLAGS = new Set(['CMPS', 'SCAS']);

/**
 * An access that wraps at 4 GiB in a segment without limit may or may not be #GP or #SS (SDM vol. 3A
 * 5.3). True when one of the two traps says so and the other found no page there.
 */
export function wraps(trap: number, otherTrap: number, address: number): boolean {
  return (trap === 12 || trap === 13) && otherTrap === 14 && (address + 64) >>> 0 < 128;
}

/**
 * An exception that waits from an earlier x87 instruction, a segment the next one may not use, and
 * an operand that is misaligned in a page that is not there are of one class, and the order within
 * it is the processor's (SDM vol. 3A table 6-2).
 */
export function sameClass(trap: number, otherTrap: number): boolean {
  const [low, high] = trap < otherTrap ? [trap, otherTrap] : [otherTrap, trap];
  return (low === 13 && high === 16) || (low >= 12 && low <= 16 && high === TRAP_ALIGNMENT);
}

/**
 * Whether 16 bytes that need no alignment are checked for one is not said (SDM vol. 2B MOVUPS, vol.
 * 3A table 6-7), nor to what MASKMOVDQU's are.
 */
export const EITHER_ALIGNMENT = new Set(['UNALIGNED']);
export const TRAP_ALIGNMENT = 17;

/** Two operands in unmapped memory: which is reported first is not said (SDM vol. 2A CMPS). */
export const EITHER_ADDRESS = new Set(['CMPS']);

/**
 * Conversions between XMM and MMX that raise #XM: whether the x87 has already become MMX (TOP 0, tags full,
 * SDM vol. 1 11.6.6) is not said; processors differ.
 */
export const EITHER_MMX = new Set(['TO_MMX']);
