/**
 * The one list of operations, and the dense numbers of their forms. The interpreter's switches,
 * the decoder's tables and the translator all number from here.
 */
import { INTEGER } from './integer.ts';
import { SSE } from './sse.ts';
import { SYSTEM } from './system.ts';
import { X87 } from './x87.ts';
import { FORMS, type Form, type Operation, type Size } from './operation.ts';

/** Every operation's rows; a name may have several, for sizes whose operands differ. */
export const OPERATIONS: Operation[] = [...INTEGER, ...SYSTEM, ...X87, ...SSE];

/** The names; the index is the operation's number in the opcode maps. */
export const NAMES: string[] = [...new Set(OPERATIONS.map(({ name }) => name))];

/** Functions of the interpreter, in code order: each switch is dense over its own range. */
export const BANKS = ['hot', 'cold', 'x87', 'sse'] as const;
export type Bank = (typeof BANKS)[number];

/** One (operation, size, form): what a record's code says. */
export interface Code {
  code: number;
  name: string;
  operation: Operation;
  size: Size;
  form: Form;
  bank: Bank;
}

function bankOf(operation: Operation, size: Size, form: Form): Bank {
  if (operation.control) return 'hot';
  if (X87.includes(operation)) return 'x87';
  if (SSE.includes(operation)) return 'sse';
  return operation.hot && isHot(operation, size, form) ? 'hot' : 'cold';
}

// The main function's body must stay below 38 KB of wasm (measured: V8 11 changes its
// register allocator there and loses a quarter): what is rare in compiled code goes.
function isHot(operation: Operation, size: Size, form: Form): boolean {
  const { name } = operation;
  if (size === 16) return /^(MOV|MOVZX8|MOVSX8|CMP|TEST|ADD|SUB|AND|OR|INC|DEC)$/.test(name);
  if (size === 8 && /^(ADC|SBB|NEG|NOT|RO|RC|XCHG)/.test(name)) return false;
  if (/^(RCL|RCR)/.test(name)) return false;
  if (size === 8 && /^(SHL|SHR|SAR)/.test(name)) return !/^m/.test(form.name);
  if (/^(RO|SH|SA|BT|XCHG|NEG|NOT|ADC|SBB|SET|CMOV)/.test(name)) return !/^m/.test(form.name);
  return true;
}

function list(): Code[] {
  const all: Omit<Code, 'code'>[] = [];
  for (const operation of OPERATIONS) {
    for (const size of operation.sizes) {
      for (const form of operation.forms) {
        all.push({
          name: `${operation.name}${size || ''}_${form.name}`.toUpperCase(),
          operation,
          size,
          form,
          bank: bankOf(operation, size, form),
        });
      }
    }
  }
  let next = 1; // 0 means: no such form
  return BANKS.flatMap((bank) =>
    all.filter((entry) => entry.bank === bank).map((entry) => ({ ...entry, code: next++ })),
  );
}

/** Every code in order; CODES[i].code is i + 1. */
export const CODES: Code[] = list();

/** First code of each bank, and one past the last of all. */
export function bankStart(bank: Bank): number {
  return CODES.find((entry) => entry.bank === bank)?.code ?? CODES.length + 1;
}

export function operationNumber(name: string): number {
  const number = NAMES.indexOf(name);
  if (number < 0) throw new Error(`isa: no operation is named ${name}`);
  return number;
}

export { FORMS };
