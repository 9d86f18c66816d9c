/**
 * System operations: everything that acts through the register file instead of on operands alone:
 * strings, ports, far transfers, segment and control registers, decimal adjustment, and the stack
 * operations for stacks that are not flat 32-bit ones.
 */
import type { Form, FormName, Operation, Sink, Size, Source } from './operation.ts';

const ALL: Size[] = [8, 16, 32];
const WORDS: Size[] = [16, 32];
const ONE: Size[] = [0];

function form(name: FormName, args: Source[] = [], result: Sink = null): Form {
  return { name, args, result };
}

/** An operation that is a call: reads and writes the register file, and may fault. */
function call(
  name: string,
  sizes: Size[],
  fn: string,
  forms: Form[],
  more: Partial<Operation> = {},
): Operation {
  return { name, sizes, forms, fn, leaf: false, implicit: 'all', throws: true, ...more };
}

const NONE = [form('none')];
const IMM = [form('none', ['imm'])];
const RECORD = [form('none', ['rp'])];
const ENDS = { ends: true };

/** The plain and the repeated form of a string operation. */
function string(name: string, port = false): Operation[] {
  const fn = name.toLowerCase();
  return [
    // A port is a device: what it raises must be seen before the next instruction.
    call(name, ALL, `${fn}%`, IMM, port ? ENDS : {}),
    call(`REP_${name}`, ALL, `rep_${fn}%`, IMM, ENDS),
  ];
}

/** LDS and its kin. */
function farPointer(name: string): Operation[] {
  const forms = [form('rm', ['rp', 'ea'])];
  const fn = `${name.toLowerCase()}%`;
  return [
    call(name, [16], fn, forms, { ends: true, bytes: 4 }),
    call(name, [32], fn, forms, { ends: true, bytes: 6 }),
  ];
}

/** One selector, from register or memory. */
const SELECTOR = [form('r', ['r1:16']), form('m', ['m:16'])];
/** A 16-bit register's value: zero-extended into a register, 16 bits into memory. */
const STORED = [form('r', [], 'r1'), form('m', [], 'm:16')];

// prettier-ignore
export const SYSTEM: Operation[] = [
  // Stack.
  call('PUSH_ANY', WORDS, 'push_any%', [form('r', ['r1']), form('m', ['m']), form('none', ['imm'])]),
  call('POP_ANY', WORDS, 'pop_any%', [form('r', [], 'r1')]),
  call('POP_ANY', WORDS, 'pop_memory%', [form('m', ['ea'])], { writes: true }),
  call('PUSH_SEG', WORDS, 'push_segment%', IMM),
  call('POP_SEG', WORDS, 'pop_segment%', IMM, ENDS),
  call('PUSHA', WORDS, 'pusha%', NONE),
  call('POPA', WORDS, 'popa%', NONE),
  call('PUSHF', WORDS, 'pushf%', NONE),
  call('POPF', WORDS, 'popf%', NONE, ENDS),
  call('ENTER', WORDS, 'enter%', RECORD),
  call('LEAVE_ANY', WORDS, 'leave_any%', NONE),
  call('CALL_ANY', WORDS, 'call_any%', IMM, ENDS),
  call('CALL_IND_ANY', WORDS, 'call_to%', [form('r', ['r1']), form('m', ['m'])], ENDS),
  call('RET_ANY', WORDS, 'ret_any%', IMM, ENDS),

  // Strings and ports.
  ...string('MOVS'), ...string('STOS'), ...string('LODS'), ...string('SCAS'), ...string('CMPS'),
  ...string('INS', true), ...string('OUTS', true),
  call('IN_IMM', ALL, 'in_imm%', IMM, ENDS),
  call('IN_DX', ALL, 'in_dx%', NONE, ENDS),
  call('OUT_IMM', ALL, 'out_imm%', IMM, ENDS),
  call('OUT_DX', ALL, 'out_dx%', NONE, ENDS),
  call('XLAT', [8], 'xlat', IMM),

  // Decimal adjustment.
  call('DAA', ONE, 'daa', NONE, { throws: false }),
  call('DAS', ONE, 'das', NONE, { throws: false }),
  call('AAA', ONE, 'aaa', NONE, { throws: false }),
  call('AAS', ONE, 'aas', NONE, { throws: false }),
  call('AAM', ONE, 'aam', IMM),
  call('AAD', ONE, 'aad', IMM, { throws: false }),
  call('SALC', ONE, 'salc', NONE, { throws: false }),

  // Segments.
  call('MOV_FROM_SEG', WORDS, 'mov_from_seg', [form('rr', ['rp'], 'r1'), form('mr', ['rp'], 'm:16')]),
  call('MOV_TO_SEG', [16], 'mov_to_seg', [form('rr', ['rp', 'r2']), form('rm', ['rp', 'm'])], ENDS),
  ...farPointer('LES'), ...farPointer('LDS'), ...farPointer('LSS'), ...farPointer('LFS'), ...farPointer('LGS'),
  call('SLDT', WORDS, 'sldt', STORED),
  call('STR', WORDS, 'str', STORED),
  call('LLDT', [16], 'lldt', SELECTOR, ENDS),
  call('LTR', [16], 'ltr', SELECTOR, ENDS),
  call('VERR', [16], 'verr', SELECTOR),
  call('VERW', [16], 'verw', SELECTOR),
  call('LAR', WORDS, 'lar%', [form('rr', ['rp', 'r2:16']), form('rm', ['rp', 'm:16'])]),
  call('LSL', WORDS, 'lsl%', [form('rr', ['rp', 'r2:16']), form('rm', ['rp', 'm:16'])]),
  call('ARPL', [16], 'arpl_r', [form('rr', ['rp', 'r1', 'r2'])]),
  call('ARPL', [16], 'arpl_m', [form('mr', ['ea', 'r2'])], { writes: true }),
  call('SGDT', WORDS, 'sgdt', [form('m', ['ea'])], { bytes: 6, writes: true }),
  call('SIDT', WORDS, 'sidt', [form('m', ['ea'])], { bytes: 6, writes: true }),
  call('LGDT', WORDS, 'lgdt%', [form('m', ['ea'])], { bytes: 6, ends: true }),
  call('LIDT', WORDS, 'lidt%', [form('m', ['ea'])], { bytes: 6, ends: true }),

  // Control registers and the processor itself.
  call('SMSW', WORDS, 'smsw', STORED),
  call('LMSW', [16], 'lmsw', SELECTOR, ENDS),
  call('CLTS', ONE, 'clts', NONE, ENDS),
  call('MOV_FROM_CR', [32], 'mov_from_cr', [form('rr', ['rp'], 'r1')]),
  call('MOV_TO_CR', [32], 'mov_to_cr', [form('rr', ['rp', 'r2'])], ENDS),
  call('MOV_FROM_DR', [32], 'mov_from_dr', [form('rr', ['rp'], 'r1')]),
  call('MOV_TO_DR', [32], 'mov_to_dr', [form('rr', ['rp', 'r2'])], ENDS),
  call('INVLPG', WORDS, 'invlpg', [form('m', ['ea'])], { bytes: 1, ends: true }),
  call('INVD', ONE, 'cache_control', NONE, ENDS),
  call('WBINVD', ONE, 'cache_control', NONE, ENDS),
  call('RDMSR', ONE, 'rdmsr', NONE, ENDS),
  call('WRMSR', ONE, 'wrmsr', NONE, ENDS),
  // The clock is told how many instructions retired, which is exact at the end of a block.
  call('RDTSC', ONE, 'rdtsc', NONE, ENDS),
  call('RDPMC', ONE, 'rdpmc', NONE),
  call('CPUID', ONE, 'cpuid', NONE, { throws: false }),
  call('CMPXCHG8B', ONE, 'cmpxchg8b', [form('m', ['ea'])], { bytes: 8, writes: true }),
  call('BOUND', [16], 'bound16', [form('rm', ['r1', 'ea'])], { bytes: 4 }),
  call('BOUND', [32], 'bound32', [form('rm', ['r1', 'ea'])], { bytes: 8 }),

  // 0F 01 C0 to C7 and D8 to DF: ModRM.rm says which; of them only VMCALL and VMMCALL are there.
  call('VMX', [32], 'vmx', [form('r', ['rp'])], ENDS),
  call('SVM', [32], 'svm', [form('r', ['rp'])], ENDS),

  // Interrupts and far transfers.
  call('CLI', ONE, 'cli', NONE),
  call('STI', ONE, 'sti', NONE, ENDS),
  call('HLT', ONE, 'hlt', NONE, ENDS),
  call('INT', ONE, 'int_imm', IMM, ENDS),
  call('INT3', ONE, 'int3', NONE, ENDS),
  call('INTO', ONE, 'into', NONE, ENDS),
  call('INT1', ONE, 'int1', NONE, ENDS),
  call('IRET', WORDS, 'iret%', NONE, ENDS),
  call('SYSENTER', ONE, 'sysenter', NONE, ENDS),
  call('SYSEXIT', ONE, 'sysexit', NONE, ENDS),
  call('JMP_FAR', WORDS, 'jmp_far', RECORD, ENDS),
  call('CALL_FAR', WORDS, 'call_far%', RECORD, ENDS),
  call('JMP_FAR_IND', [16], 'jmp_far_ind%', [form('m', ['ea'])], { bytes: 4, ends: true }),
  call('JMP_FAR_IND', [32], 'jmp_far_ind%', [form('m', ['ea'])], { bytes: 6, ends: true }),
  call('CALL_FAR_IND', [16], 'call_far_ind%', [form('m', ['ea'])], { bytes: 4, ends: true }),
  call('CALL_FAR_IND', [32], 'call_far_ind%', [form('m', ['ea'])], { bytes: 6, ends: true }),
  call('RET_FAR', WORDS, 'ret_far%', IMM, ENDS),
];
