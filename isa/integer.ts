/**
 * The integer operations of user code and the near branches. System operations are in system.ts.
 */
import { CONDITIONS } from './operation.ts';
import type { Flags, Form, FormName, Operation, Sink, Size, Source } from './operation.ts';

/** Standard operand forms: what a binary, a unary operation reads and where its result goes. */
const BINARY: Record<string, [Source[], Sink]> = {
  rr: [['r1', 'r2'], 'r1'],
  ri: [['r1', 'imm'], 'r1'],
  rm: [['r1', 'm'], 'r1'],
  mr: [['m', 'r2'], 'm'],
  mi: [['m', 'imm'], 'm'],
};
const UNARY: Record<string, [Source[], Sink]> = { r: [['r1'], 'r1'], m: [['m'], 'm'] };

function forms(
  table: Record<string, [Source[], Sink]>,
  extra: Source[] = [],
  result: boolean = true,
  names: string[] = Object.keys(table),
): Form[] {
  return names.map((name) => ({
    name: name as FormName,
    args: [...table[name]![0], ...extra],
    result: result ? table[name]![1] : null,
  }));
}

const ALL: Size[] = [8, 16, 32];
const WORDS: Size[] = [16, 32];

interface More extends Partial<Operation> {
  extra?: Source[];
  noResult?: boolean;
}

function binary(
  name: string,
  fn: string | null,
  flags: Flags | undefined,
  more: More = {},
): Operation {
  const { extra, noResult, ...rest } = more;
  return {
    name,
    sizes: ALL,
    forms: forms(BINARY, extra, !noResult),
    fn,
    leaf: true,
    flags,
    ...rest,
  } as Operation;
}

function unary(name: string, fn: string, flags: Flags | undefined, more: More = {}): Operation {
  const { extra, noResult, ...rest } = more;
  return {
    name,
    sizes: ALL,
    forms: forms(UNARY, extra, !noResult),
    fn,
    leaf: true,
    flags,
    ...rest,
  } as Operation;
}

/** One form, given whole. */
function form(name: FormName, args: Source[], result: Sink = null, second?: Form['second']): Form {
  return second ? { name, args, result, second } : { name, args, result };
}

function leaf(
  name: string,
  sizes: Size[],
  fn: string | null,
  list: Form[],
  more: More = {},
): Operation {
  return { name, sizes, forms: list, fn, leaf: true, ...more } as Operation;
}

/** Shifts and rotates: by immediate (never zero: the decoder makes those NOP), and by CL. */
function shift(
  name: string,
  fn: string,
  cl: string,
  flags: Flags,
  clFlags: Flags,
  carryIn: boolean,
): Operation[] {
  const cf = carryIn ? ['cf'] : [];
  return [
    leaf(
      name,
      ALL,
      fn,
      [form('ri', ['r1', 'imm', ...cf], 'r1'), form('mi', ['m', 'imm', ...cf], 'm')],
      { flags, hot: true },
    ),
    leaf(
      cl,
      ALL,
      fn,
      [form('rr', ['r1', 'ecx', ...cf], 'r1'), form('mr', ['m', 'ecx', ...cf], 'm')],
      { flags: clFlags, hot: true },
    ),
  ];
}

function bitTest(name: string, fn: string | null): Operation {
  const sink = fn ? 'r1' : null;
  return leaf(
    name,
    WORDS,
    fn,
    [
      form('rr', ['r1', 'r2'], sink),
      form('ri', ['r1', 'imm'], sink),
      form('mi', ['m', 'imm'], fn ? 'm' : null),
      // The register may point outside the operand: the decoder puts a BIT_ADDRESS record in front.
      form('mr', ['m', 'r2'], fn ? 'm' : null),
    ],
    { flags: { bits: 'bt_bits%(a, b, eflags)' }, hot: true },
  );
}

// prettier-ignore
export const INTEGER: Operation[] = [
  binary('ADD', 'add', 'ADD', { hot: true }),
  binary('OR', 'or', 'LOGIC', { hot: true }),
  binary('ADC', 'adc', 'ADC', { extra: ['cf'], hot: true }),
  binary('SBB', 'sbb', 'SBB', { extra: ['cf'], hot: true }),
  binary('AND', 'and', 'LOGIC', { hot: true }),
  binary('SUB', 'sub', 'SUB', { hot: true }),
  binary('XOR', 'xor', 'LOGIC', { hot: true }),
  binary('CMP', 'sub', 'SUB', { noResult: true, hot: true }),
  binary('TEST', 'and', 'LOGIC', { noResult: true, hot: true }),
  binary('MOV', null, undefined, {
    hot: true,
    forms: [form('rr', ['r2'], 'r1'), form('ri', ['imm'], 'r1'), form('rm', ['m'], 'r1'), form('mr', ['r2'], 'm'), form('mi', ['imm'], 'm')],
  }),
  unary('INC', 'inc', { co: 'inc_co(a, r, cf)' }, { hot: true }),
  unary('DEC', 'dec', { co: 'dec_co(a, r, cf)' }, { hot: true }),
  unary('NOT', 'not', undefined, { hot: true }),
  unary('NEG', 'neg', 'NEG', { hot: true }),

  ...shift('SHL', 'shl%', 'SHL_CL', { co: 'shl_co%(a, b, r)' }, { bits: 'shl_bits%(a, b, r, eflags)' }, false),
  ...shift('SHR', 'shr%', 'SHR_CL', { co: 'shr_co%(a, b, r)' }, { bits: 'shr_bits%(a, b, r, eflags)' }, false),
  ...shift('SAR', 'sar', 'SAR_CL', { co: 'sar_co(a, b)' }, { bits: 'sar_bits(a, b, r, eflags)' }, false),
  ...shift('ROL', 'rol%', 'ROL_CL', { bits: 'rol_bits(b, r, eflags)' }, { bits: 'rol_bits(b, r, eflags)' }, false),
  ...shift('ROR', 'ror%', 'ROR_CL', { bits: 'ror_bits%(b, r, eflags)' }, { bits: 'ror_bits%(b, r, eflags)' }, false),
  ...shift('RCL', 'rcl%', 'RCL_CL', { bits: 'rcl_bits%(a, b, eflags)' }, { bits: 'rcl_bits%(a, b, eflags)' }, true),
  ...shift('RCR', 'rcr%', 'RCR_CL', { bits: 'rcr_bits%(a, b, eflags)' }, { bits: 'rcr_bits%(a, b, eflags)' }, true),
  leaf('SHLD', WORDS, 'shld%', [form('rr', ['r1', 'r2', 'imm'], 'r1'), form('mr', ['m', 'r2', 'imm'], 'm')], { flags: { bits: 'shld_bits%(a, b, c, r, eflags)' }, hot: true }),
  leaf('SHRD', WORDS, 'shrd%', [form('rr', ['r1', 'r2', 'imm'], 'r1'), form('mr', ['m', 'r2', 'imm'], 'm')], { flags: { bits: 'shrd_bits%(a, b, c, r, eflags)' }, hot: true }),
  leaf('SHLD_CL', WORDS, 'shld%', [form('rr', ['r1', 'r2', 'ecx'], 'r1'), form('mr', ['m', 'r2', 'ecx'], 'm')], { flags: { bits: 'shld_bits%(a, b, c, r, eflags)' } }),
  leaf('SHRD_CL', WORDS, 'shrd%', [form('rr', ['r1', 'r2', 'ecx'], 'r1'), form('mr', ['m', 'r2', 'ecx'], 'm')], { flags: { bits: 'shrd_bits%(a, b, c, r, eflags)' } }),

  // AND, OR and SUB of flags after a multiplication are undefined by the manual; CF and OF are not.
  leaf('IMUL2', WORDS, 'imul', [form('rr', ['r1', 'r2'], 'r1'), form('rm', ['r1', 'm'], 'r1')], { flags: { co: 'imul_co%(a, b)' }, hot: true }),
  leaf('IMUL3', WORDS, 'imul', [form('rr', ['r2', 'imm'], 'r1'), form('rm', ['m', 'imm'], 'r1')], { flags: { co: 'imul_co%(a, b)' }, hot: true }),
  leaf('MUL', [8], 'mul8', [form('r', ['acc', 'r1'], 'AX'), form('m', ['acc', 'm'], 'AX')], { flags: { co: 'mul_co8(r)' } }),
  leaf('MUL', [16], 'mul16', [form('r', ['acc', 'r1'], 'DX:AX'), form('m', ['acc', 'm'], 'DX:AX')], { flags: { co: 'mul_co16(r)' } }),
  leaf('MUL', [32], 'mul32', [form('r', ['acc', 'r1'], 'EDX:EAX'), form('m', ['acc', 'm'], 'EDX:EAX')], { flags: { co: 'mul_co32(r)' }, hot: true }),
  leaf('IMUL', [8], 'imul1_8', [form('r', ['acc', 'r1'], 'AX'), form('m', ['acc', 'm'], 'AX')], { flags: { co: 'imul1_co8(r)' } }),
  leaf('IMUL', [16], 'imul1_16', [form('r', ['acc', 'r1'], 'DX:AX'), form('m', ['acc', 'm'], 'DX:AX')], { flags: { co: 'imul1_co16(r)' } }),
  leaf('IMUL', [32], 'imul1_32', [form('r', ['acc', 'r1'], 'EDX:EAX'), form('m', ['acc', 'm'], 'EDX:EAX')], { flags: { co: 'imul1_co32(r)' } }),
  leaf('DIV', [8], 'div8', [form('r', ['AX', 'r1'], 'AX'), form('m', ['AX', 'm'], 'AX')], { guard: 'div8_ok', guardFault: 0 }),
  leaf('DIV', [16], 'div16', [form('r', ['DX:AX', 'r1'], 'DX:AX'), form('m', ['DX:AX', 'm'], 'DX:AX')], { guard: 'div16_ok', guardFault: 0 }),
  leaf('DIV', [32], 'div32', [form('r', ['EDX:EAX', 'r1'], 'EDX:EAX'), form('m', ['EDX:EAX', 'm'], 'EDX:EAX')], { guard: 'div32_ok', guardFault: 0, hot: true }),
  leaf('IDIV', [8], 'idiv8', [form('r', ['AX', 'r1'], 'AX'), form('m', ['AX', 'm'], 'AX')], { guard: 'idiv8_ok', guardFault: 0 }),
  leaf('IDIV', [16], 'idiv16', [form('r', ['DX:AX', 'r1'], 'DX:AX'), form('m', ['DX:AX', 'm'], 'DX:AX')], { guard: 'idiv16_ok', guardFault: 0 }),
  leaf('IDIV', [32], 'idiv32', [form('r', ['EDX:EAX', 'r1'], 'EDX:EAX'), form('m', ['EDX:EAX', 'm'], 'EDX:EAX')], { guard: 'idiv32_ok', guardFault: 0 }),

  leaf('MOVZX8', WORDS, 'zero_extend8', [form('rr', ['r2:8'], 'r1'), form('rm', ['m:8'], 'r1')], { hot: true }),
  leaf('MOVZX16', WORDS, 'zero_extend16', [form('rr', ['r2:16'], 'r1'), form('rm', ['m:16'], 'r1')], { hot: true }),
  leaf('MOVSX8', WORDS, null, [form('rr', ['r2:8'], 'r1'), form('rm', ['m:8'], 'r1')], { hot: true }),
  leaf('MOVSX16', WORDS, null, [form('rr', ['r2:16'], 'r1'), form('rm', ['m:16'], 'r1')], { hot: true }),
  // What a shift of memory by zero is: the flags stay, the operand is accessed all the same.
  leaf('TOUCH', ALL, null, [form('m', ['m'], 'm')]),
  leaf('LEA', WORDS, null, [form('rm', ['ea'], 'r1')], { hot: true }),
  leaf('BSWAP', WORDS, 'bswap%', [form('r', ['r1'], 'r1')], { hot: true }),
  leaf('CBW', [16], 'cbw', [form('none', ['acc:8'], 'acc')]),
  leaf('CBW', [32], 'cbw', [form('none', ['acc:16'], 'acc')], { hot: true }),
  leaf('CWD', WORDS, 'sign32', [form('none', ['acc'], 'EDX')], { hot: true }),

  leaf('XCHG', ALL, null, [form('rr', ['r1', 'r2'], 'r1', { sink: 'r2', source: 'a' }), form('mr', ['m', 'r2'], 'm', { sink: 'r2', source: 'a' })], { hot: true }),
  leaf('XADD', ALL, 'add', [form('rr', ['r1', 'r2'], 'r1', { sink: 'r2', source: 'a' }), form('mr', ['m', 'r2'], 'm', { sink: 'r2', source: 'a' })], { flags: 'ADD' }),
  leaf('CMPXCHG', ALL, 'cmpxchg', [form('rr', ['r1', 'r2', 'acc'], 'r1', { sink: 'acc', source: 'a' }), form('mr', ['m', 'r2', 'acc'], 'm', { sink: 'acc', source: 'a' })], { flags: { sub: ['c', 'a'] } }),

  bitTest('BT', null),
  bitTest('BTS', 'bts%'),
  bitTest('BTR', 'btr%'),
  bitTest('BTC', 'btc%'),
  leaf('BSF', WORDS, 'bsf%', [form('rr', ['r1', 'r2'], 'r1'), form('rm', ['r1', 'm'], 'r1')], { flags: { bits: 'bs_bits(b, eflags)' }, hot: true }),
  leaf('BSR', WORDS, 'bsr%', [form('rr', ['r1', 'r2'], 'r1'), form('rm', ['r1', 'm'], 'r1')], { flags: { bits: 'bs_bits(b, eflags)' }, hot: true }),

  leaf('CMC', [0], null, [form('none', [])], { flags: { bits: 'cmc_bits(eflags)' } }),
  leaf('CLC', [0], null, [form('none', [])], { flags: { bits: 'clc_bits(eflags)' } }),
  leaf('STC', [0], null, [form('none', [])], { flags: { bits: 'stc_bits(eflags)' } }),
  leaf('SAHF', [0], null, [form('none', [])], { flags: { bits: 'sahf_bits(ah, eflags)' } }),
  leaf('LAHF', [0], 'lahf', [form('none', ['eflags'], 'AH')]),
  leaf('CLD', [0], 'cld', [form('none', [])], { leaf: false }),
  leaf('STD', [0], 'std', [form('none', [])], { leaf: false }),
  leaf('NOP', [0], null, [form('none', [])], { hot: true }),
  leaf('NOP_E', WORDS, null, [form('r', []), form('m', [])]),

  ...CONDITIONS.map((c, cc) => leaf(`SET${c}`, [8], null, [form('r', ['cc'], 'r1'), form('m', ['cc'], 'm')], { cc, hot: true })),
  ...CONDITIONS.map((c, cc) => leaf(`CMOV${c}`, WORDS, null, [form('rr', ['r2'], 'r1'), form('rm', ['m'], 'r1')], { cc, when: 'cc', hot: true })),

  leaf('PUSH', [32], null, [form('r', ['r1'], 'push'), form('m', ['m'], 'push'), form('none', ['imm'], 'push')], { hot: true }),
  leaf('POP', [32], null, [form('r', ['pop'], 'r1'), form('m', ['pop'], 'm')], { hot: true }),
  leaf('LEAVE', [32], null, [form('none', ['leave'], 'EBP')], { hot: true }),
  leaf('PUSHF_FLAT', [32], null, [form('none', ['eflags32'], 'push')]),

  ...CONDITIONS.map((c, cc) => leaf(`J${c}`, [32], null, [form('none', [])], { cc, control: 'jcc', hot: true })),
  leaf('JMP', [32], null, [form('none', [])], { control: 'jmp', hot: true }),
  leaf('CALL', [32], null, [form('none', [])], { control: 'call', hot: true }),
  leaf('RET', [32], null, [form('none', [])], { control: 'ret', hot: true }),
  leaf('JMP_IND', [32], null, [form('r', ['r1']), form('m', ['m'])], { control: 'jmp-indirect', hot: true }),
  leaf('CALL_IND', [32], null, [form('r', ['r1']), form('m', ['m'])], { control: 'call-indirect', hot: true }),
  // The end of a block that is no branch: the page ends, or the next instruction crosses it.
  leaf('NEXT', [0], null, [form('none', [])], { control: 'next', hot: true } as More),

  // Branches by count and branches that truncate EIP: rare, through the register file.
  { name: 'LOOP', sizes: WORDS, forms: [form('none', ['rp'])], fn: 'loop%', leaf: false, implicit: 'ECX', ends: true, throws: true },
  { name: 'LOOPE', sizes: WORDS, forms: [form('none', ['rp'])], fn: 'loope%', leaf: false, implicit: 'ECX', ends: true, throws: true },
  { name: 'LOOPNE', sizes: WORDS, forms: [form('none', ['rp'])], fn: 'loopne%', leaf: false, implicit: 'ECX', ends: true, throws: true },
  { name: 'JCXZ', sizes: WORDS, forms: [form('none', ['rp'])], fn: 'jcxz%', leaf: false, implicit: 'ECX', ends: true, throws: true },
  ...CONDITIONS.map((c, cc): Operation => ({ name: `J${c}16`, sizes: [0], forms: [form('none', ['cc', 'imm'])], fn: 'jump16_if', cc, leaf: false, ends: true, throws: true })),
  { name: 'JMP16', sizes: [0], forms: [form('none', ['imm'])], fn: 'jump16', leaf: false, ends: true, throws: true },
  { name: 'JMP_IND_ANY', sizes: WORDS, forms: [form('r', ['r1']), form('m', ['m'])], fn: 'jump_to%', leaf: false, ends: true, throws: true },
  { name: 'JMP_CHECKED', sizes: [0], forms: [form('none', ['imm'])], fn: 'jump32', leaf: false, ends: true, throws: true },
  ...CONDITIONS.map((c, cc): Operation => ({ name: `J${c}_CHECKED`, sizes: [0], forms: [form('none', ['cc', 'imm'])], fn: 'jump32_if', cc, leaf: false, ends: true, throws: true })),

  { name: 'UD', sizes: [0], forms: [form('none', []), form('r', []), form('m', [])], fn: 'raiseUD', leaf: false, ends: true, throws: true },
  // An instruction longer than 15 bytes, or one whose bytes cannot be fetched.
  { name: 'FETCH_FAULT', sizes: [0], forms: [form('none', ['rp'])], fn: 'fetchFault', leaf: false, ends: true, throws: true },

  // Helper records in front of an instruction.
  { name: 'EA', sizes: [32], forms: [form('none', ['rp'])], fn: 'segmentAddress', leaf: false, throws: true },
  { name: 'EA16', sizes: [0], forms: [form('none', ['rp'])], fn: 'segmentAddress16', leaf: false, throws: true },
  { name: 'BIT_ADDRESS', sizes: WORDS, forms: [form('none', ['ea', 'r2'])], fn: 'bitAddress%', leaf: false },
];
