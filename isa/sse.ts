/**
 * MMX, SSE and SSE2: operations, and their part of the 0F map (SDM vol. 2D tables A-3 and A-4).
 *
 * An operation on XMM registers has the manual's name, its MMX twin `_MM` behind it. Operations
 * that do the same bit for bit are one: MOVAPS stands for MOVAPD and MOVDQA, PAND for ANDPS and
 * ANDPD, and so on. Float arithmetic has its exceptions in MXCSR and may raise #XM: `throws`.
 *
 * Unit 'mmx': the glue calls mmx_enter (assembly/ops/sse/state.ts) when memory has been read or
 * written, since after a page fault the registers are still the x87's. Operations with an MMX and
 * an XMM operand are unit 'sse' and call it themselves.
 *
 * PREFETCHh and its neighbours 0F 18 to 1F are hints: NOP_E in map0f.ts.
 */
import { row, type MapRow } from './maps.ts';
import type { Form, FormName, Operation, Sink, Source } from './operation.ts';

// --- How operations are written ------------------------------------------------------------------

type More = Partial<Operation>;

function form(name: FormName, args: Source[], result: Sink): Form {
  return { name, args, result };
}

function operation(name: string, fn: string | null, forms: Form[], more: More): Operation {
  return { name, sizes: [0], forms, fn, leaf: true, ...more };
}

const SSE_UNIT: More = { unit: 'sse' };
const MMX_UNIT: More = { unit: 'mmx' };
/** Changes state outside the general registers, and may fault: MXCSR and #XM, MMX and #MF. */
const STATEFUL: More = { leaf: false, implicit: '', throws: true };
/** Of whole registers only; MOVU, scalars and MMX need no alignment. */
const ALIGNED: More = { align: 16 };

/** A general register or 32 bits of memory takes part. */
const GENERAL: More = { sizes: [32] };

/** x1 = fn(x1, x2), with a memory operand of `bits` ("128", "64x": the low lane). */
function xmm(name: string, more: More = {}, bits = '128', fn = name.toLowerCase()): Operation {
  return operation(
    name,
    fn,
    [form('rr', ['x1', 'x2'], 'x1'), form('rm', ['x1', `m:${bits}`], 'x1')],
    { ...SSE_UNIT, ...(bits === '128' ? ALIGNED : {}), ...more },
  );
}

/** x1 = fn(x2): the old value of the destination plays no part. */
function xmmUnary(name: string, more: More = {}, bits = '128', fn = name.toLowerCase()): Operation {
  return operation(name, fn, [form('rr', ['x2'], 'x1'), form('rm', [`m:${bits}`], 'x1')], {
    ...SSE_UNIT,
    ...(bits === '128' ? ALIGNED : {}),
    ...more,
  });
}

/** x1 = fn(x1, x2, imm). */
function xmmImmediate(name: string, more: More = {}, bits = '128'): Operation {
  return operation(
    name,
    name.toLowerCase(),
    [form('rr', ['x1', 'x2', 'imm'], 'x1'), form('rm', ['x1', `m:${bits}`, 'imm'], 'x1')],
    { ...SSE_UNIT, ...(bits === '128' ? ALIGNED : {}), ...more },
  );
}

/** x1 = fn(x2, imm). */
function xmmShuffle(name: string): Operation {
  return operation(
    name,
    name.toLowerCase(),
    [form('rr', ['x2', 'imm'], 'x1'), form('rm', ['m:128', 'imm'], 'x1')],
    { ...SSE_UNIT, ...ALIGNED },
  );
}

/** mm1 = fn(mm1, mm2). */
function mmx(name: string): Operation {
  return operation(
    `${name}_MM`,
    `${name.toLowerCase()}_mm`,
    [form('rr', ['mm1', 'mm2'], 'mm1'), form('rm', ['mm1', 'm:64'], 'mm1')],
    MMX_UNIT,
  );
}

/** One form, given whole. */
function single(name: string, fn: string | null, one: Form, more: More = SSE_UNIT): Operation {
  return operation(name, fn, [one], more);
}

/** A shift: by a register, and by an immediate. */
function shift(name: string): Operation[] {
  const fn = name.toLowerCase();
  return [
    xmm(name),
    mmx(name),
    single(`${name}_IMM`, `${fn}_imm`, form('ri', ['x1', 'imm'], 'x1')),
    single(`${name}_MM_IMM`, `${fn}_mm_imm`, form('ri', ['mm1', 'imm'], 'mm1'), MMX_UNIT),
  ];
}

/** PS PD SS SD of one operation. */
function floats(name: string, make: typeof xmm, scalar: typeof xmm = make): Operation[] {
  return [
    make(`${name}PS`, STATEFUL),
    make(`${name}PD`, STATEFUL),
    scalar(`${name}SS`, STATEFUL, '32x'),
    scalar(`${name}SD`, STATEFUL, '64x'),
  ];
}

/** COMIS, UCOMIS: only flags. */
function comparing(name: string, bits: string): Operation {
  return operation(
    name,
    null,
    [form('rr', ['x1', 'x2'], null), form('rm', ['x1', `m:${bits}`], null)],
    { ...SSE_UNIT, ...STATEFUL, flags: { bits: `${name.toLowerCase()}(a, b)` } },
  );
}

/** A float in an XMM register or memory to a general register. */
function toGeneral(name: string, bits: string): Operation {
  return operation(
    name,
    name.toLowerCase(),
    [form('rr', ['x2'], 'r1'), form('rm', [`m:${bits}`], 'r1')],
    { ...SSE_UNIT, ...STATEFUL, ...GENERAL },
  );
}

/** A general register or memory to the low lane. */
function fromGeneral(name: string, more: More): Operation {
  return operation(
    name,
    name.toLowerCase(),
    [form('rr', ['x1', 'r2'], 'x1'), form('rm', ['x1', 'm'], 'x1')],
    { ...SSE_UNIT, ...GENERAL, ...more },
  );
}

/** Two floats to an MMX register. */
function toMmx(name: string, bits: string): Operation {
  return operation(
    name,
    name.toLowerCase(),
    [form('rr', ['x2'], 'mm1'), form('rm', [`m:${bits}`], 'mm1')],
    { ...SSE_UNIT, ...STATEFUL, ...(bits === '128' ? ALIGNED : {}) },
  );
}

// --- The operations ------------------------------------------------------------------------------

/** On both register files, and the same in both. */
const PACKED = [
  'PADDB', 'PADDW', 'PADDD', 'PADDQ', 'PADDSB', 'PADDSW', 'PADDUSB', 'PADDUSW',
  'PSUBB', 'PSUBW', 'PSUBD', 'PSUBQ', 'PSUBSB', 'PSUBSW', 'PSUBUSB', 'PSUBUSW',
  'PMULLW', 'PMULHW', 'PMULHUW', 'PMULUDQ', 'PMADDWD', 'PSADBW', 'PAVGB', 'PAVGW',
  'PMINUB', 'PMAXUB', 'PMINSW', 'PMAXSW',
  'PCMPEQB', 'PCMPEQW', 'PCMPEQD', 'PCMPGTB', 'PCMPGTW', 'PCMPGTD',
  'PAND', 'PANDN', 'POR', 'PXOR',
  'PACKSSWB', 'PACKUSWB', 'PACKSSDW', 'PUNPCKHBW', 'PUNPCKHWD', 'PUNPCKHDQ',
]; // prettier-ignore

const MOVES: Operation[] = [
  // Whole registers.
  operation(
    'MOVAPS',
    null,
    [form('rr', ['x2'], 'x1'), form('rm', ['m:128'], 'x1'), form('mr', ['x2'], 'm:128')],
    { ...SSE_UNIT, ...ALIGNED },
  ),
  operation(
    'MOVUPS',
    null,
    [form('rr', ['x2'], 'x1'), form('rm', ['m:128'], 'x1'), form('mr', ['x2'], 'm:128')],
    SSE_UNIT,
  ),
  operation(
    'MOVQ_MM',
    null,
    [form('rr', ['mm2'], 'mm1'), form('rm', ['m:64'], 'mm1'), form('mr', ['mm2'], 'm:64')],
    MMX_UNIT,
  ),
  // Scalars: a load clears the rest, a move between registers keeps it.
  single('MOVSS', 'movss', form('rr', ['x1', 'x2'], 'x1')),
  single('MOVSS_LOAD', null, form('rm', ['m:32x'], 'x1')),
  single('MOVSS_STORE', 'low_doubleword', form('mr', ['x2'], 'm:32')),
  single('MOVSD', 'movsd', form('rr', ['x1', 'x2'], 'x1')),
  xmmUnary('MOVQ', {}, '64x'),
  single('MOVQ_STORE', 'low_quadword', form('mr', ['x2'], 'm:64')),
  // Halves.
  single('MOVHLPS', 'movhlps', form('rr', ['x1', 'x2'], 'x1')),
  single('MOVLHPS', 'movlhps', form('rr', ['x1', 'x2'], 'x1')),
  single('MOVLPS', 'movlps_load', form('rm', ['x1', 'm:64'], 'x1')),
  single('MOVHPS', 'movhps_load', form('rm', ['x1', 'm:64'], 'x1')),
  single('MOVHPS_STORE', 'high_quadword', form('mr', ['x2'], 'm:64')),
  // Between register files.
  operation('MOVD', 'movd_x', [form('rr', ['r2'], 'x1'), form('rm', ['m'], 'x1')], {
    ...SSE_UNIT,
    ...GENERAL,
  }),
  single('MOVD_TO', 'low_doubleword', form('rr', ['x2'], 'r1'), { ...SSE_UNIT, ...GENERAL }),
  operation('MOVD_MM', 'movd_mm', [form('rr', ['r2'], 'mm1'), form('rm', ['m'], 'mm1')], {
    ...MMX_UNIT,
    ...GENERAL,
  }),
  operation('MOVD_TO_MM', 'movd_from_mm', [form('rr', ['mm2'], 'r1'), form('mr', ['mm2'], 'm')], {
    ...MMX_UNIT,
    ...GENERAL,
  }),
  single('MOVQ2DQ', 'movq2dq', form('rr', ['mm2'], 'x1'), { ...SSE_UNIT, ...STATEFUL }),
  single('MOVDQ2Q', 'movdq2q', form('rr', ['x2'], 'mm1'), { ...SSE_UNIT, ...STATEFUL }),
  // Non-temporal stores, which here are stores.
  single('MOVNTPS', null, form('mr', ['x2'], 'm:128'), { ...SSE_UNIT, ...ALIGNED }),
  single('MOVNTQ', null, form('mr', ['mm2'], 'm:64'), MMX_UNIT),
  single('MOVNTI', null, form('mr', ['r2'], 'm'), GENERAL),
  single('MASKMOVDQU', 'maskmovdqu', form('rr', ['x1', 'x2', 'imm'], null), {
    ...SSE_UNIT,
    leaf: false,
    implicit: 'EDI',
    throws: true,
  }),
  single('MASKMOVQ', 'maskmovq', form('rr', ['mm1', 'mm2', 'imm'], null), {
    ...MMX_UNIT,
    leaf: false,
    implicit: 'EDI',
    throws: true,
  }),
];

const SHUFFLES: Operation[] = [
  xmm('PUNPCKLBW'), xmm('PUNPCKLWD'), xmm('PUNPCKLDQ'), xmm('PUNPCKLQDQ'), xmm('PUNPCKHQDQ'),
  // The low MMX unpacks read 32 bits of memory.
  ...['PUNPCKLBW', 'PUNPCKLWD', 'PUNPCKLDQ'].map((name) =>
    single(`${name}_MM`, `${name.toLowerCase()}_mm`, form('rr', ['mm1', 'mm2'], 'mm1'), MMX_UNIT),
  ),
  ...['PUNPCKLBW', 'PUNPCKLWD', 'PUNPCKLDQ'].map((name) =>
    single(`${name}_M32`, `${name.toLowerCase()}_m32`, form('rm', ['mm1', 'm:32'], 'mm1'), MMX_UNIT),
  ),
  xmmShuffle('PSHUFD'), xmmShuffle('PSHUFLW'), xmmShuffle('PSHUFHW'),
  operation(
    'PSHUFW_MM', 'pshufw_mm',
    [form('rr', ['mm2', 'imm'], 'mm1'), form('rm', ['m:64', 'imm'], 'mm1')],
    MMX_UNIT,
  ),
  xmmImmediate('SHUFPS'), xmmImmediate('SHUFPD'),
  single('PSLLDQ', 'pslldq', form('ri', ['x1', 'imm'], 'x1')),
  single('PSRLDQ', 'psrldq', form('ri', ['x1', 'imm'], 'x1')),
  operation(
    'PINSRW', 'pinsrw',
    [form('rr', ['x1', 'r2', 'imm'], 'x1'), form('rm', ['x1', 'm:16', 'imm'], 'x1')],
    { ...SSE_UNIT, ...GENERAL },
  ),
  operation(
    'PINSRW_MM', 'pinsrw_mm',
    [form('rr', ['mm1', 'r2', 'imm'], 'mm1'), form('rm', ['mm1', 'm:16', 'imm'], 'mm1')],
    { ...MMX_UNIT, ...GENERAL },
  ),
  single('PEXTRW', 'pextrw', form('rr', ['x2', 'imm'], 'r1'), { ...SSE_UNIT, ...GENERAL }),
  single('PEXTRW_MM', 'pextrw_mm', form('rr', ['mm2', 'imm'], 'r1'), { ...MMX_UNIT, ...GENERAL }),
  single('PMOVMSKB', 'pmovmskb', form('rr', ['x2'], 'r1'), { ...SSE_UNIT, ...GENERAL }),
  single('PMOVMSKB_MM', 'pmovmskb_mm', form('rr', ['mm2'], 'r1'), { ...MMX_UNIT, ...GENERAL }),
  single('MOVMSKPS', 'movmskps', form('rr', ['x2'], 'r1'), { ...SSE_UNIT, ...GENERAL }),
  single('MOVMSKPD', 'movmskpd', form('rr', ['x2'], 'r1'), { ...SSE_UNIT, ...GENERAL }),
]; // prettier-ignore

const ARITHMETIC: Operation[] = [
  ...['ADD', 'SUB', 'MUL', 'DIV', 'MIN', 'MAX'].flatMap((name) => floats(name, xmm)),
  ...floats('SQRT', xmmUnary, xmm),
  xmmImmediate('CMPPS', STATEFUL), xmmImmediate('CMPPD', STATEFUL),
  xmmImmediate('CMPSS', STATEFUL, '32x'), xmmImmediate('CMPSD', STATEFUL, '64x'),
  comparing('COMISS', '32x'), comparing('COMISD', '64x'),
  comparing('UCOMISS', '32x'), comparing('UCOMISD', '64x'),
  // Approximations: no exceptions, no MXCSR.
  xmmUnary('RCPPS', { leaf: false, implicit: '' }), xmm('RCPSS', { leaf: false, implicit: '' }, '32x'),
  xmmUnary('RSQRTPS', { leaf: false, implicit: '' }), xmm('RSQRTSS', { leaf: false, implicit: '' }, '32x'),
]; // prettier-ignore

const CONVERSIONS: Operation[] = [
  xmmUnary('CVTPS2DQ', STATEFUL), xmmUnary('CVTTPS2DQ', STATEFUL),
  xmmUnary('CVTPD2DQ', STATEFUL), xmmUnary('CVTTPD2DQ', STATEFUL),
  xmmUnary('CVTDQ2PS', STATEFUL), xmmUnary('CVTDQ2PD', {}, '64x'),
  xmmUnary('CVTPS2PD', STATEFUL, '64x'), xmmUnary('CVTPD2PS', STATEFUL),
  xmm('CVTSS2SD', STATEFUL, '32x'), xmm('CVTSD2SS', STATEFUL, '64x'),
  toGeneral('CVTSS2SI', '32x'), toGeneral('CVTTSS2SI', '32x'),
  toGeneral('CVTSD2SI', '64x'), toGeneral('CVTTSD2SI', '64x'),
  fromGeneral('CVTSI2SS', STATEFUL), fromGeneral('CVTSI2SD', {}),
  toMmx('CVTPS2PI', '64x'), toMmx('CVTTPS2PI', '64x'),
  toMmx('CVTPD2PI', '128'), toMmx('CVTTPD2PI', '128'),
  single('CVTPI2PS', 'cvtpi2ps', form('rr', ['x1', 'mm2'], 'x1'), { ...SSE_UNIT, ...STATEFUL }),
  single('CVTPI2PS_M64', 'cvtpi2ps_m64', form('rm', ['x1', 'm:64'], 'x1'), { ...SSE_UNIT, ...STATEFUL }),
  single('CVTPI2PD', 'cvtpi2pd', form('rr', ['mm2'], 'x1'), { ...SSE_UNIT, ...STATEFUL }),
  single('CVTPI2PD_M64', 'cvtpi2pd_m64', form('rm', ['m:64'], 'x1')),
]; // prettier-ignore

const STATE: Operation[] = [
  single('EMMS', 'emms', form('none', [], null), { ...MMX_UNIT, leaf: false, implicit: '' }),
  single('LDMXCSR', 'ldmxcsr', form('m', ['m:32'], null), { ...SSE_UNIT, ...STATEFUL }),
  single('STMXCSR', 'stmxcsr', form('m', [], 'm:32'), { ...SSE_UNIT, leaf: false, implicit: '' }),
  // Neither looks at a pending x87 exception.
  single('FXSAVE', 'fxsave', form('m', ['ea'], null), {
    unit: 'x87-nowait', leaf: false, implicit: '', throws: true, align: 16, bytes: 512, writes: true,
  }),
  single('FXRSTOR', 'fxrstor', form('m', ['ea'], null), {
    unit: 'x87-nowait', leaf: false, implicit: '', throws: true, align: 16, bytes: 512,
  }),
  single('CLFLUSH', 'clflush', form('m', ['ea'], null), {
    leaf: false, implicit: '', throws: true, bytes: 1,
  }),
]; // prettier-ignore

export const SSE: Operation[] = [
  ...MOVES,
  ...PACKED.map((name) => xmm(name)),
  ...PACKED.map((name) => mmx(name)),
  ...['PSLLW', 'PSLLD', 'PSLLQ', 'PSRLW', 'PSRLD', 'PSRLQ', 'PSRAW', 'PSRAD'].flatMap(shift),
  ...SHUFFLES,
  ...ARITHMETIC,
  ...CONVERSIONS,
  ...STATE,
];

// --- The map -------------------------------------------------------------------------------------

const NONE = { prefix: 'none' } as const;
const P66 = { prefix: '66' } as const;
const F3 = { prefix: 'F3' } as const;
const F2 = { prefix: 'F2' } as const;

/** The MMX opcode without prefix and the XMM one with 66. */
function both(first: number, op: string): MapRow[] {
  return [row(first, 1, `${op}_MM`, 'P,Q', 'n', NONE), row(first, 1, op, 'V,W', 'n', P66)];
}

/** Opcodes in a row. */
function run(first: number, names: string[]): MapRow[] {
  return names.flatMap((name, i) => both(first + i, name));
}

/** PS, PD, SS and SD: no prefix, 66, F3, F2. */
function four(first: number, op: string, operands = 'V,W'): MapRow[] {
  return [
    row(first, 1, `${op}PS`, operands, 'n', NONE),
    row(first, 1, `${op}PD`, operands, 'n', P66),
    row(first, 1, `${op}SS`, operands, 'n', F3),
    row(first, 1, `${op}SD`, operands, 'n', F2),
  ];
}

/** The same operation for PS and PD. */
function pair(first: number, op: string, operands = 'V,W'): MapRow[] {
  return [row(first, 1, op, operands, 'n', NONE), row(first, 1, op, operands, 'n', P66)];
}

// prettier-ignore
export const SSE_MAP0F: MapRow[] = [
  ...pair(0x10, 'MOVUPS'), row(0x10, 1, '#MOVSS', '', 'n', F3), row(0x10, 1, '#MOVSD', '', 'n', F2),
  ...pair(0x11, 'MOVUPS', 'W,V'), row(0x11, 1, '#MOVSS_STORE', '', 'n', F3), row(0x11, 1, '#MOVSD_STORE', '', 'n', F2),
  row(0x12, 1, '#MOVLPS'),
  ...pair(0x13, 'MOVQ_STORE', 'M,V'),
  row(0x14, 1, 'PUNPCKLDQ', 'V,W', 'n', NONE), row(0x14, 1, 'PUNPCKLQDQ', 'V,W', 'n', P66),
  row(0x15, 1, 'PUNPCKHDQ', 'V,W', 'n', NONE), row(0x15, 1, 'PUNPCKHQDQ', 'V,W', 'n', P66),
  row(0x16, 1, '#MOVHPS'),
  ...pair(0x17, 'MOVHPS_STORE', 'M,V'),
  ...pair(0x28, 'MOVAPS'),
  ...pair(0x29, 'MOVAPS', 'W,V'),
  row(0x2a, 1, '#CVTPI'),
  ...pair(0x2b, 'MOVNTPS', 'M,V'),
  row(0x2c, 1, 'CVTTPS2PI', 'P,W', 'n', NONE), row(0x2c, 1, 'CVTTPD2PI', 'P,W', 'n', P66),
  row(0x2c, 1, 'CVTTSS2SI', 'G,W', 'd', F3), row(0x2c, 1, 'CVTTSD2SI', 'G,W', 'd', F2),
  row(0x2d, 1, 'CVTPS2PI', 'P,W', 'n', NONE), row(0x2d, 1, 'CVTPD2PI', 'P,W', 'n', P66),
  row(0x2d, 1, 'CVTSS2SI', 'G,W', 'd', F3), row(0x2d, 1, 'CVTSD2SI', 'G,W', 'd', F2),
  row(0x2e, 1, 'UCOMISS', 'V,W', 'n', NONE), row(0x2e, 1, 'UCOMISD', 'V,W', 'n', P66),
  row(0x2f, 1, 'COMISS', 'V,W', 'n', NONE), row(0x2f, 1, 'COMISD', 'V,W', 'n', P66),
  row(0x50, 1, 'MOVMSKPS', 'G,U', 'd', NONE), row(0x50, 1, 'MOVMSKPD', 'G,U', 'd', P66),
  ...four(0x51, 'SQRT'),
  row(0x52, 1, 'RSQRTPS', 'V,W', 'n', NONE), row(0x52, 1, 'RSQRTSS', 'V,W', 'n', F3),
  row(0x53, 1, 'RCPPS', 'V,W', 'n', NONE), row(0x53, 1, 'RCPSS', 'V,W', 'n', F3),
  ...pair(0x54, 'PAND'),
  ...pair(0x55, 'PANDN'),
  ...pair(0x56, 'POR'),
  ...pair(0x57, 'PXOR'),
  ...four(0x58, 'ADD'),
  ...four(0x59, 'MUL'),
  row(0x5a, 1, 'CVTPS2PD', 'V,W', 'n', NONE), row(0x5a, 1, 'CVTPD2PS', 'V,W', 'n', P66),
  row(0x5a, 1, 'CVTSS2SD', 'V,W', 'n', F3), row(0x5a, 1, 'CVTSD2SS', 'V,W', 'n', F2),
  row(0x5b, 1, 'CVTDQ2PS', 'V,W', 'n', NONE), row(0x5b, 1, 'CVTPS2DQ', 'V,W', 'n', P66),
  row(0x5b, 1, 'CVTTPS2DQ', 'V,W', 'n', F3),
  ...four(0x5c, 'SUB'),
  ...four(0x5d, 'MIN'),
  ...four(0x5e, 'DIV'),
  ...four(0x5f, 'MAX'),
  row(0x60, 1, '#PUNPCKLBW'), row(0x61, 1, '#PUNPCKLWD'), row(0x62, 1, '#PUNPCKLDQ'),
  ...run(0x63, ['PACKSSWB', 'PCMPGTB', 'PCMPGTW', 'PCMPGTD', 'PACKUSWB']),
  ...run(0x68, ['PUNPCKHBW', 'PUNPCKHWD', 'PUNPCKHDQ', 'PACKSSDW']),
  row(0x6c, 1, 'PUNPCKLQDQ', 'V,W', 'n', P66),
  row(0x6d, 1, 'PUNPCKHQDQ', 'V,W', 'n', P66),
  row(0x6e, 1, 'MOVD_MM', 'P,E', 'd', NONE), row(0x6e, 1, 'MOVD', 'V,E', 'd', P66),
  row(0x6f, 1, 'MOVQ_MM', 'P,Q', 'n', NONE), row(0x6f, 1, 'MOVAPS', 'V,W', 'n', P66), row(0x6f, 1, 'MOVUPS', 'V,W', 'n', F3),
  row(0x70, 1, 'PSHUFW_MM', 'P,Q,Ib', 'n', NONE), row(0x70, 1, 'PSHUFD', 'V,W,Ib', 'n', P66),
  row(0x70, 1, 'PSHUFHW', 'V,W,Ib', 'n', F3), row(0x70, 1, 'PSHUFLW', 'V,W,Ib', 'n', F2),
  row(0x71, 1, '#12'), row(0x72, 1, '#13'), row(0x73, 1, '#14'),
  ...run(0x74, ['PCMPEQB', 'PCMPEQW', 'PCMPEQD']),
  row(0x77, 1, 'EMMS', '', 'n', NONE),
  row(0x7e, 1, 'MOVD_TO_MM', 'E,P', 'd', NONE), row(0x7e, 1, '#MOVD_TO', '', 'n', P66), row(0x7e, 1, 'MOVQ', 'V,W', 'n', F3),
  row(0x7f, 1, 'MOVQ_MM', 'Q,P', 'n', NONE), row(0x7f, 1, 'MOVAPS', 'W,V', 'n', P66), row(0x7f, 1, 'MOVUPS', 'W,V', 'n', F3),
  row(0xae, 1, '#15'),
  ...four(0xc2, 'CMP', 'V,W,Ib'),
  row(0xc3, 1, 'MOVNTI', 'M,G', 'd', NONE),
  row(0xc4, 1, 'PINSRW_MM', 'P,E,Ib', 'd', NONE), row(0xc4, 1, 'PINSRW', 'V,E,Ib', 'd', P66),
  row(0xc5, 1, 'PEXTRW_MM', 'G,N,Ib', 'd', NONE), row(0xc5, 1, 'PEXTRW', 'G,U,Ib', 'd', P66),
  row(0xc6, 1, 'SHUFPS', 'V,W,Ib', 'n', NONE), row(0xc6, 1, 'SHUFPD', 'V,W,Ib', 'n', P66),
  ...run(0xd1, ['PSRLW', 'PSRLD', 'PSRLQ', 'PADDQ', 'PMULLW']),
  row(0xd6, 1, '#MOVQ_STORE', '', 'n', P66), row(0xd6, 1, 'MOVQ2DQ', 'V,N', 'n', F3), row(0xd6, 1, 'MOVDQ2Q', 'P,U', 'n', F2),
  row(0xd7, 1, 'PMOVMSKB_MM', 'G,N', 'd', NONE), row(0xd7, 1, 'PMOVMSKB', 'G,U', 'd', P66),
  ...run(0xd8, ['PSUBUSB', 'PSUBUSW', 'PMINUB', 'PAND', 'PADDUSB', 'PADDUSW', 'PMAXUB', 'PANDN']),
  ...run(0xe0, ['PAVGB', 'PSRAW', 'PSRAD', 'PAVGW', 'PMULHUW', 'PMULHW']),
  row(0xe6, 1, 'CVTTPD2DQ', 'V,W', 'n', P66), row(0xe6, 1, 'CVTDQ2PD', 'V,W', 'n', F3), row(0xe6, 1, 'CVTPD2DQ', 'V,W', 'n', F2),
  row(0xe7, 1, 'MOVNTQ', 'M,P', 'n', NONE), row(0xe7, 1, 'MOVNTPS', 'M,V', 'n', P66),
  ...run(0xe8, ['PSUBSB', 'PSUBSW', 'PMINSW', 'POR', 'PADDSB', 'PADDSW', 'PMAXSW', 'PXOR']),
  ...run(0xf1, ['PSLLW', 'PSLLD', 'PSLLQ', 'PMULUDQ', 'PMADDWD', 'PSADBW']),
  row(0xf7, 1, 'MASKMOVQ', 'P,N,X', 'n', NONE), row(0xf7, 1, 'MASKMOVDQU', 'V,U,X', 'n', P66),
  ...run(0xf8, ['PSUBB', 'PSUBW', 'PSUBD', 'PSUBQ', 'PADDB', 'PADDW', 'PADDD']),
];

// --- Groups --------------------------------------------------------------------------------------

type Prefix = { prefix: 'none' | '66' | 'F3' | 'F2' };

/** One ModRM.reg of a group. Whatever has a size here is of 32 bits. */
function reg(first: number, op: string, operands: string, more: Partial<MapRow>): MapRow {
  const sized = SSE.some(({ name, sizes }) => name === op && sizes.includes(32));
  return row(first, 1, op, operands, sized ? 'd' : 'n', more);
}

/** An opcode that is one operation with a register and another, or nothing, with memory. */
function split(
  prefix: Prefix,
  register: [op: string, operands: string] | null,
  memory: [op: string, operands: string] | null,
): MapRow[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].flatMap((first) => [
    ...(register ? [reg(first, ...register, { ...prefix, mod: 'register' })] : []),
    ...(memory ? [reg(first, ...memory, { ...prefix, mod: 'memory' })] : []),
  ]);
}

/** A shift by an immediate: MMX without prefix, XMM with 66. */
function shiftRows(first: number, op: string): MapRow[] {
  return [reg(first, `${op}_MM_IMM`, 'N,Ib', NONE), reg(first, `${op}_IMM`, 'U,Ib', P66)];
}

/** A low unpack, whose MMX form reads less memory. */
function unpackRows(op: string): MapRow[] {
  return [
    ...split(NONE, [`${op}_MM`, 'P,N'], [`${op}_M32`, 'P,M']),
    ...split(P66, [op, 'V,U'], [op, 'V,M']),
  ];
}

export const SSE_GROUPS: Record<string, MapRow[]> = {
  '#12': [...shiftRows(2, 'PSRLW'), ...shiftRows(4, 'PSRAW'), ...shiftRows(6, 'PSLLW')],
  '#13': [...shiftRows(2, 'PSRLD'), ...shiftRows(4, 'PSRAD'), ...shiftRows(6, 'PSLLD')],
  '#14': [
    ...shiftRows(2, 'PSRLQ'),
    ...shiftRows(6, 'PSLLQ'),
    reg(3, 'PSRLDQ', 'U,Ib', P66),
    reg(7, 'PSLLDQ', 'U,Ib', P66),
  ],
  '#15': [
    reg(0, 'FXSAVE', 'M', { ...NONE, mod: 'memory' }),
    reg(1, 'FXRSTOR', 'M', { ...NONE, mod: 'memory' }),
    reg(2, 'LDMXCSR', 'M', { ...NONE, mod: 'memory' }),
    reg(3, 'STMXCSR', 'M', { ...NONE, mod: 'memory' }),
    reg(7, 'CLFLUSH', 'M', { ...NONE, mod: 'memory' }),
    // LFENCE, MFENCE, SFENCE: memory is in order anyway.
    reg(5, 'NOP', '', { ...NONE, mod: 'register' }),
    reg(6, 'NOP', '', { ...NONE, mod: 'register' }),
    reg(7, 'NOP', '', { ...NONE, mod: 'register' }),
  ],
  '#MOVSS': split(F3, ['MOVSS', 'V,U'], ['MOVSS_LOAD', 'V,M']),
  '#MOVSS_STORE': split(F3, ['MOVSS', 'U,V'], ['MOVSS_STORE', 'M,V']),
  '#MOVSD': split(F2, ['MOVSD', 'V,U'], ['MOVQ', 'V,M']),
  '#MOVSD_STORE': split(F2, ['MOVSD', 'U,V'], ['MOVQ_STORE', 'M,V']),
  '#MOVLPS': [
    ...split(NONE, ['MOVHLPS', 'V,U'], ['MOVLPS', 'V,M']),
    ...split(P66, null, ['MOVLPS', 'V,M']),
  ],
  '#MOVHPS': [
    ...split(NONE, ['MOVLHPS', 'V,U'], ['MOVHPS', 'V,M']),
    ...split(P66, null, ['MOVHPS', 'V,M']),
  ],
  '#MOVQ_STORE': split(P66, ['MOVQ', 'U,V'], ['MOVQ_STORE', 'M,V']),
  '#MOVD_TO': split(P66, ['MOVD_TO', 'R,V'], ['MOVSS_STORE', 'M,V']),
  '#CVTPI': [
    ...split(NONE, ['CVTPI2PS', 'V,N'], ['CVTPI2PS_M64', 'V,M']),
    ...split(P66, ['CVTPI2PD', 'V,N'], ['CVTPI2PD_M64', 'V,M']),
    ...split(F3, ['CVTSI2SS', 'V,R'], ['CVTSI2SS', 'V,M']),
    ...split(F2, ['CVTSI2SD', 'V,R'], ['CVTSI2SD', 'V,M']),
  ],
  '#PUNPCKLBW': unpackRows('PUNPCKLBW'),
  '#PUNPCKLWD': unpackRows('PUNPCKLWD'),
  '#PUNPCKLDQ': unpackRows('PUNPCKLDQ'),
};
