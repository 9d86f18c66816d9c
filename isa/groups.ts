/**
 * Opcode extensions: the operation is in ModRM.reg (SDM vol. 2D table A-6). `first` is ModRM.reg;
 * operands and size left out are those of the row that named the group.
 * Groups of MMX and SSE (12 to 16) are in sse.ts.
 */
import { row, type MapRow } from './maps.ts';

/** A group's row: like row(), with operands and size only where they differ from the opcode's. */
function reg(
  first: number,
  op: string | null,
  operands = '',
  size: MapRow['size'] | '' = '',
  more: Partial<MapRow> = {},
): MapRow {
  return row(first, 1, op, operands, size as MapRow['size'], more);
}

const SHIFTS = ['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SHR', 'SHL', 'SAR'];

// prettier-ignore
export const GROUPS: Record<string, MapRow[]> = {
  '#1': ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'].map((op, i) => reg(i, op, '', '', { lock: i !== 7 })),
  '#1A': [reg(0, 'POP', 'E')],
  '#2': SHIFTS.map((op, i) => reg(i, op)),
  '#2CL': SHIFTS.map((op, i) => reg(i, `${op}_CL`)),
  '#3': [
    reg(0, 'TEST', 'E,I'), reg(1, 'TEST', 'E,I'),
    reg(2, 'NOT', '', '', { lock: true }), reg(3, 'NEG', '', '', { lock: true }),
    reg(4, 'MUL'), reg(5, 'IMUL'), reg(6, 'DIV'), reg(7, 'IDIV'),
  ],
  '#4': [reg(0, 'INC', '', '', { lock: true }), reg(1, 'DEC', '', '', { lock: true })],
  '#5': [
    reg(0, 'INC', '', '', { lock: true }), reg(1, 'DEC', '', '', { lock: true }),
    reg(2, 'CALL_IND'), reg(3, 'CALL_FAR_IND', 'M'), reg(4, 'JMP_IND'), reg(5, 'JMP_FAR_IND', 'M'),
    reg(6, 'PUSH'),
  ],
  '#6': [
    reg(0, 'SLDT', '', 'v'), reg(1, 'STR', '', 'v'), reg(2, 'LLDT'), reg(3, 'LTR'),
    reg(4, 'VERR'), reg(5, 'VERW'),
  ],
  '#7': [
    reg(0, 'SGDT', 'M', '', { mod: 'memory' }), reg(1, 'SIDT', 'M'), reg(2, 'LGDT', 'M'),
    reg(3, 'LIDT', 'M', '', { mod: 'memory' }),
    reg(0, 'VMX', 'R', 'd', { mod: 'register' }), reg(3, 'SVM', 'R', 'd', { mod: 'register' }),
    reg(4, 'SMSW', 'E'), reg(6, 'LMSW', 'E', 'w'), reg(7, 'INVLPG', 'M'),
  ],
  '#8': [
    reg(4, 'BT'), reg(5, 'BTS', '', '', { lock: true }), reg(6, 'BTR', '', '', { lock: true }),
    reg(7, 'BTC', '', '', { lock: true }),
  ],
  '#9': [reg(1, 'CMPXCHG8B', 'M', 'n', { lock: true })],
  '#11': [reg(0, 'MOV')],
};
