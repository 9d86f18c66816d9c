/**
 * The x87 instructions: operations, and the maps of D8 to DF (SDM vol. 2D tables, and
 * the aliases that the tables leave out and processors have).
 *
 * Every non-control row says `throws`, because its function keeps EIP_CURRENT as the instruction
 * pointer that FNSTENV shows. Stores have their value made first and reported (`after`) last, so
 * that a page fault comes before any change.
 */
import { row, type MapRow } from './maps.ts';
import type { Operation, Size, Source } from './operation.ts';

const NO_SIZE: Size[] = [0];

/** An operation on ST(0), or on ST(0) and ST(i) with args ['imm']. */
function onStack(
  name: string,
  fn: string,
  args: Source[] = [],
  more: Partial<Operation> = {},
): Operation {
  return {
    name,
    sizes: NO_SIZE,
    forms: [{ name: 'none', args, result: null }],
    fn,
    leaf: false,
    implicit: '',
    throws: true,
    unit: 'x87',
    ...more,
  };
}

/** ST(0) and a value in memory of `bits`. */
function withMemory(name: string, fn: string, bits: number): Operation {
  return onStack(name, fn, [], {
    forms: [{ name: 'm', args: [`m:${bits}`, 'ea'], result: null }],
    bytes: bits / 8,
  });
}

/** A store of ST(0) as `bits`. */
function storing(name: string, fn: string, bits: number, pops: boolean): Operation {
  return onStack(name, fn, [], {
    forms: [{ name: 'm', args: ['ea'], result: `m:${bits}` }],
    bytes: bits / 8,
    after: pops ? 'fpu_stored_pop' : 'fpu_stored',
  });
}

/** A function that reads or writes `bytes` of memory by itself. */
function throughAddress(
  name: string,
  fn: string,
  bytes: number,
  more: Partial<Operation> = {},
): Operation {
  return onStack(name, fn, [], {
    forms: [{ name: 'm', args: ['ea'], result: null }],
    bytes,
    ...more,
  });
}

/** A control instruction: no waiting exception is looked at, no pointer kept. */
const NO_WAIT: Partial<Operation> = { unit: 'x87-nowait', throws: false };

const ARITHMETIC = ['ADD', 'MUL', 'SUB', 'SUBR', 'DIV', 'DIVR'];

function arithmetic(name: string): Operation[] {
  const op = name.toLowerCase();
  return [
    withMemory(`F${name}_M32`, `f${op}_m32`, 32),
    withMemory(`F${name}_M64`, `f${op}_m64`, 64),
    withMemory(`FI${name}_M32`, `fi${op}_m32`, 32),
    withMemory(`FI${name}_M16`, `fi${op}_m16`, 16),
    onStack(`F${name}_ST`, `f${op}_st`, ['imm']),
    onStack(`F${name}_TO_ST`, `f${op}_to_st`, ['imm']),
    onStack(`F${name}P`, `f${op}p`, ['imm']),
  ];
}

/** FCOMI and its kin make EFLAGS of the comparison. */
function toEflags(name: string): Operation {
  return onStack(name, name.toLowerCase(), ['imm'], { flags: { bits: 'fcomi_bits(r)' } });
}

/** Condition codes of FCMOVcc in the order of the opcodes: B E BE U and their opposites. */
const FCMOV: [string, number][] = [
  ['FCMOVB', 2],
  ['FCMOVE', 4],
  ['FCMOVBE', 6],
  ['FCMOVU', 10],
  ['FCMOVNB', 3],
  ['FCMOVNE', 5],
  ['FCMOVNBE', 7],
  ['FCMOVNU', 11],
];

/** Instructions without operands whose function has their name. */
// prettier-ignore
const PLAIN = [
  'FCHS', 'FABS', 'FTST', 'FXAM', 'FLD1', 'FLDL2T', 'FLDL2E', 'FLDPI', 'FLDLG2', 'FLDLN2', 'FLDZ',
  'F2XM1', 'FYL2X', 'FPTAN', 'FPATAN', 'FXTRACT', 'FPREM1', 'FDECSTP', 'FINCSTP', 'FPREM', 'FYL2XP1',
  'FSQRT', 'FSINCOS', 'FRNDINT', 'FSCALE', 'FSIN', 'FCOS', 'FNOP', 'FCOMPP', 'FUCOMPP',
];

export const X87: Operation[] = [
  ...ARITHMETIC.flatMap(arithmetic),
  ...PLAIN.map((name) => onStack(name, name.toLowerCase())),

  withMemory('FLD_M32', 'fld_m32', 32),
  withMemory('FLD_M64', 'fld_m64', 64),
  throughAddress('FLD_M80', 'fld_m80', 10),
  onStack('FLD_ST', 'fld_st', ['imm']),
  withMemory('FILD_M16', 'fild_m16', 16),
  withMemory('FILD_M32', 'fild_m32', 32),
  withMemory('FILD_M64', 'fild_m64', 64),
  throughAddress('FBLD', 'fbld', 10),

  storing('FST_M32', 'fst_m32', 32, false),
  storing('FSTP_M32', 'fst_m32', 32, true),
  storing('FST_M64', 'fst_m64', 64, false),
  storing('FSTP_M64', 'fst_m64', 64, true),
  throughAddress('FSTP_M80', 'fstp_m80', 10, { writes: true }),
  storing('FIST_M16', 'fist_m16', 16, false),
  storing('FISTP_M16', 'fist_m16', 16, true),
  storing('FIST_M32', 'fist_m32', 32, false),
  storing('FISTP_M32', 'fist_m32', 32, true),
  storing('FISTP_M64', 'fist_m64', 64, true),
  throughAddress('FBSTP', 'fbstp', 10, { writes: true }),
  onStack('FST_ST', 'fst_st', ['imm']),
  onStack('FSTP_ST', 'fstp_st', ['imm']),
  onStack('FSTPNCE', 'fstpnce', ['imm']),

  onStack('FXCH', 'fxch', ['imm']),
  onStack('FFREE', 'ffree', ['imm']),
  onStack('FFREEP', 'ffreep', ['imm']),
  ...FCMOV.map(([name, cc]) => onStack(name, 'fcmov', ['imm', 'cc'], { cc })),

  withMemory('FCOM_M32', 'fcom_m32', 32),
  withMemory('FCOMP_M32', 'fcomp_m32', 32),
  withMemory('FCOM_M64', 'fcom_m64', 64),
  withMemory('FCOMP_M64', 'fcomp_m64', 64),
  withMemory('FICOM_M16', 'ficom_m16', 16),
  withMemory('FICOMP_M16', 'ficomp_m16', 16),
  withMemory('FICOM_M32', 'ficom_m32', 32),
  withMemory('FICOMP_M32', 'ficomp_m32', 32),
  onStack('FCOM_ST', 'fcom_st', ['imm']),
  onStack('FCOMP_ST', 'fcomp_st', ['imm']),
  onStack('FUCOM', 'fucom', ['imm']),
  onStack('FUCOMP', 'fucomp', ['imm']),
  ...['FCOMI', 'FCOMIP', 'FUCOMI', 'FUCOMIP'].map(toEflags),

  onStack('FNINIT', 'fninit', [], NO_WAIT),
  onStack('FNCLEX', 'fnclex', [], NO_WAIT),
  /** FENI, FDISI and FSETPM of the 8087 and 287. */
  onStack('FNOP_CONTROL', 'fnop_control', [], NO_WAIT),
  onStack('FWAIT', 'fwait', [], { unit: undefined }),
  onStack('FLDCW', 'fldcw', [], {
    forms: [{ name: 'm', args: ['m:16'], result: null }],
    bytes: 2,
    throws: false,
  }),
  onStack('FNSTCW', 'fnstcw', [], {
    ...NO_WAIT,
    forms: [{ name: 'm', args: [], result: 'm:16' }],
    bytes: 2,
  }),
  onStack('FNSTSW', 'fnstsw', [], {
    ...NO_WAIT,
    forms: [{ name: 'm', args: [], result: 'm:16' }],
    bytes: 2,
  }),
  onStack('FNSTSW_AX', 'fnstsw', [], {
    ...NO_WAIT,
    sizes: [16],
    forms: [{ name: 'r', args: [], result: 'r1' }],
  }),
  // `bytes` is that of the 32-bit layout; the 16-bit one is checked for a few bytes too many.
  throughAddress('FLDENV', 'fldenv%', 28, { sizes: [16, 32] }),
  throughAddress('FNSTENV', 'fnstenv%', 28, { sizes: [16, 32], unit: 'x87-nowait', writes: true }),
  throughAddress('FRSTOR', 'frstor%', 108, { sizes: [16, 32] }),
  throughAddress('FNSAVE', 'fnsave%', 108, { sizes: [16, 32], unit: 'x87-nowait', writes: true }),
];

/** D8 to DF with a memory operand: eight rows an opcode, by ModRM.reg. */
function memoryRows(opcode: number, ops: (string | null)[]): MapRow[] {
  return ops.map((op, reg) => {
    const wide = op !== null && /^(FLDENV|FNSTENV|FRSTOR|FNSAVE)$/.test(op);
    return row((opcode - 0xd8) * 8 + reg, 1, op, op === null ? '' : 'M', wide ? 'v' : 'n');
  });
}

function arithmeticRows(opcode: number, prefix: string, suffix: string): MapRow[] {
  const order = ['ADD', 'MUL', 'COM', 'COMP', 'SUB', 'SUBR', 'DIV', 'DIVR'];
  return memoryRows(
    opcode,
    order.map((name) => `${prefix}${name}${suffix}`),
  );
}

// prettier-ignore
export const X87_MEMORY: MapRow[] = [
  ...arithmeticRows(0xd8, 'F', '_M32'),
  ...memoryRows(0xd9, ['FLD_M32', null, 'FST_M32', 'FSTP_M32', 'FLDENV', 'FLDCW', 'FNSTENV', 'FNSTCW']),
  ...arithmeticRows(0xda, 'FI', '_M32'),
  ...memoryRows(0xdb, ['FILD_M32', null, 'FIST_M32', 'FISTP_M32', null, 'FLD_M80', null, 'FSTP_M80']),
  ...arithmeticRows(0xdc, 'F', '_M64'),
  ...memoryRows(0xdd, ['FLD_M64', null, 'FST_M64', 'FSTP_M64', 'FRSTOR', null, 'FNSAVE', 'FNSTSW']),
  ...arithmeticRows(0xde, 'FI', '_M16'),
  ...memoryRows(0xdf, ['FILD_M16', null, 'FIST_M16', 'FISTP_M16', 'FBLD', 'FILD_M64', 'FBSTP', 'FISTP_M64']),
];

/** Eight register encodings from opcode, modrm: ST(0) to ST(7). */
function stack(opcode: number, modrm: number, op: string): MapRow {
  return row((opcode - 0xd8) * 64 + modrm - 0xc0, 8, op, 'ST');
}

/** One register encoding. */
function single(opcode: number, modrm: number, op: string): MapRow {
  return row((opcode - 0xd8) * 64 + modrm - 0xc0, 1, op);
}

/** A run of single encodings; null ones are #UD. */
function singles(opcode: number, modrm: number, ops: (string | null)[]): MapRow[] {
  return ops.flatMap((op, i) => (op === null ? [] : [single(opcode, modrm + i, op)]));
}

// prettier-ignore
export const X87_REGISTER: MapRow[] = [
  ...['FADD_ST', 'FMUL_ST', 'FCOM_ST', 'FCOMP_ST', 'FSUB_ST', 'FSUBR_ST', 'FDIV_ST', 'FDIVR_ST']
    .map((op, i) => stack(0xd8, 0xc0 + 8 * i, op)),

  stack(0xd9, 0xc0, 'FLD_ST'), stack(0xd9, 0xc8, 'FXCH'), single(0xd9, 0xd0, 'FNOP'),
  stack(0xd9, 0xd8, 'FSTPNCE'),
  ...singles(0xd9, 0xe0, ['FCHS', 'FABS', null, null, 'FTST', 'FXAM', null, null]),
  ...singles(0xd9, 0xe8, ['FLD1', 'FLDL2T', 'FLDL2E', 'FLDPI', 'FLDLG2', 'FLDLN2', 'FLDZ', null]),
  ...singles(0xd9, 0xf0, ['F2XM1', 'FYL2X', 'FPTAN', 'FPATAN', 'FXTRACT', 'FPREM1', 'FDECSTP', 'FINCSTP']),
  ...singles(0xd9, 0xf8, ['FPREM', 'FYL2XP1', 'FSQRT', 'FSINCOS', 'FRNDINT', 'FSCALE', 'FSIN', 'FCOS']),

  ...['FCMOVB', 'FCMOVE', 'FCMOVBE', 'FCMOVU'].map((op, i) => stack(0xda, 0xc0 + 8 * i, op)),
  single(0xda, 0xe9, 'FUCOMPP'),

  ...['FCMOVNB', 'FCMOVNE', 'FCMOVNBE', 'FCMOVNU'].map((op, i) => stack(0xdb, 0xc0 + 8 * i, op)),
  ...singles(0xdb, 0xe0, ['FNOP_CONTROL', 'FNOP_CONTROL', 'FNCLEX', 'FNINIT', 'FNOP_CONTROL']),
  stack(0xdb, 0xe8, 'FUCOMI'), stack(0xdb, 0xf0, 'FCOMI'),

  stack(0xdc, 0xc0, 'FADD_TO_ST'), stack(0xdc, 0xc8, 'FMUL_TO_ST'),
  stack(0xdc, 0xd0, 'FCOM_ST'), stack(0xdc, 0xd8, 'FCOMP_ST'),
  stack(0xdc, 0xe0, 'FSUBR_TO_ST'), stack(0xdc, 0xe8, 'FSUB_TO_ST'),
  stack(0xdc, 0xf0, 'FDIVR_TO_ST'), stack(0xdc, 0xf8, 'FDIV_TO_ST'),

  stack(0xdd, 0xc0, 'FFREE'), stack(0xdd, 0xc8, 'FXCH'),
  stack(0xdd, 0xd0, 'FST_ST'), stack(0xdd, 0xd8, 'FSTP_ST'),
  stack(0xdd, 0xe0, 'FUCOM'), stack(0xdd, 0xe8, 'FUCOMP'),

  stack(0xde, 0xc0, 'FADDP'), stack(0xde, 0xc8, 'FMULP'),
  stack(0xde, 0xd0, 'FCOMP_ST'), single(0xde, 0xd9, 'FCOMPP'),
  stack(0xde, 0xe0, 'FSUBRP'), stack(0xde, 0xe8, 'FSUBP'),
  stack(0xde, 0xf0, 'FDIVRP'), stack(0xde, 0xf8, 'FDIVP'),

  stack(0xdf, 0xc0, 'FFREEP'), stack(0xdf, 0xc8, 'FXCH'),
  stack(0xdf, 0xd0, 'FSTP_ST'), stack(0xdf, 0xd8, 'FSTP_ST'),
  row(7 * 64 + 0x20, 1, 'FNSTSW_AX', 'A', 'w'),
  stack(0xdf, 0xe8, 'FUCOMIP'), stack(0xdf, 0xf0, 'FCOMIP'),
];
