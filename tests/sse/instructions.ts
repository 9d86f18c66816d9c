/**
 * Every encoding that isa/sse.ts describes, as bytes with fixed operands: destination register 0,
 * source register 1, memory at [EDI], so that one instruction can be given to the processor and
 * to the operation's function alike.
 */
import type { MapRow } from '../../isa/maps.ts';
import type { Form, FormName, Operation } from '../../isa/operation.ts';
import { SSE, SSE_GROUPS, SSE_MAP0F } from '../../isa/sse.ts';

export interface Instruction {
  /** Operation, form and opcode: PADDB rr 66 0F FC. */
  title: string;
  operation: Operation;
  form: Form;
  /** Without the immediate. */
  code: number[];
  hasImmediate: boolean;
}

const PREFIX_BYTES = { none: [], '66': [0x66], F3: [0xf3], F2: [0xf2] };
const IN_REG = ['G', 'V', 'P'];

/** ModRM for a row's operands, and the form it decodes to (assembly/decode/decode.ts). */
function encodings(row: MapRow, group: number | null): { modrm: number[]; form: FormName }[] {
  const letters = row.operands.split(',').filter(Boolean);
  const hasImmediate = letters.includes('Ib');
  const operands = letters.filter((letter) => letter !== 'Ib' && letter !== 'X');
  if (!operands.length) return [{ modrm: [], form: 'none' }];
  const at = operands.findIndex((letter) => !IN_REG.includes(letter));
  const inMemory = /[EWQM]/.test(operands[at]!) && row.mod !== 'register';
  const inRegister = operands[at] !== 'M' && row.mod !== 'memory';
  const result: { modrm: number[]; form: FormName }[] = [];
  if (operands.length === 1) {
    if (inRegister) {
      const modrm = [0xc0 | (group! << 3)];
      result.push({ modrm, form: hasImmediate ? 'ri' : 'r' });
    }
    if (inMemory) result.push({ modrm: [(group! << 3) | 7], form: hasImmediate ? 'mi' : 'm' });
    return result;
  }
  // Register 0 is the first operand, 1 the second.
  const first = at === 0;
  if (inRegister) result.push({ modrm: [first ? 0xc8 : 0xc1], form: 'rr' });
  if (inMemory) result.push({ modrm: [first ? 0x0f : 0x07], form: first ? 'mr' : 'rm' });
  return result;
}

function fromRow(row: MapRow, opcode: number, group: number | null): Instruction[] {
  const operation = SSE.find(({ name }) => name === row.op);
  if (!operation) return [];
  return encodings(row, group).flatMap(({ modrm, form: name }) => {
    const form = operation.forms.find((candidate) => candidate.name === name);
    if (!form) throw new Error(`${row.op} has no form ${name}, which its map row decodes to`);
    const code = [...PREFIX_BYTES[row.prefix ?? 'none'], 0x0f, opcode, ...modrm];
    const hex = code.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const hasImmediate = row.operands.includes('Ib');
    return [{ title: `${operation.name} ${name} ${hex}`, operation, form, code, hasImmediate }];
  });
}

/** Without the rows of a group that repeat for every ModRM.reg. */
export function instructions(): Instruction[] {
  const all = SSE_MAP0F.flatMap((row) => {
    if (!row.op!.startsWith('#')) return fromRow(row, row.first, null);
    const members = SSE_GROUPS[row.op!]!;
    const byReg = members.some(({ first }) => first !== 0) && /^#\d/.test(row.op!);
    return members
      .filter(({ first }) => byReg || first === 0)
      .flatMap((member) => fromRow(member, row.first, byReg ? member.first : null));
  });
  return [...new Map(all.map((one) => [one.title, one])).values()];
}
