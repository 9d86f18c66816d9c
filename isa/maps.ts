/**
 * How a row of an opcode map is written, and the helper that makes one.
 *
 * A row reads like the manual's opcode map: first opcode, how many opcodes, operation, operands.
 * Operands are letters as in SDM vol. 2D appendix A, separated by commas, first operand first:
 *
 *   E W Q    ModRM.rm: general register or memory, XMM or memory, MMX or memory
 *   M        ModRM.rm, memory only (a register is #UD)
 *   U N      ModRM.rm, register only: XMM, MMX
 *   R        ModRM.rm, general register only
 *   G V P    ModRM.reg: general, XMM, MMX register
 *   S        ModRM.reg: segment register      C D   control, debug register (number in r1 or r2)
 *   Z        general register in the opcode's low three bits
 *   A        the accumulator                  CL    the count register
 *   O        memory at an offset in the instruction
 *   ST       x87 register: ModRM.rm's number as the immediate
 *   Ib Iw Iz immediates (Ib sign-extended); I1 the constant one; IwIb ENTER's two
 *   Jb Jz    branch displacements             FAR   selector and offset
 *   X        no operand but the context: prefixes, for string operations and the like
 *
 * For X, FAR, IwIb and the register numbers see assembly/decode/decode.ts.
 */
import type { Size } from './operation.ts';

/** b 8, w 16, d 32, v 16 or 32 by operand size, n none. */
export type SizeRule = 'b' | 'w' | 'd' | 'v' | 'n';

export interface MapRow {
  first: number;
  count: number;
  /** Operation name, or a group's name with a leading '#', or null: #UD. */
  op: string | null;
  /** Operand letters. */
  operands: string;
  size: SizeRule;
  /** Only with this mandatory prefix (0F map); default: whatever the prefixes. */
  prefix?: 'none' | '66' | 'F3' | 'F2';
  /** LOCK is allowed when the destination is memory. */
  lock?: boolean;
  /** In groups: only where ModRM names a register, or memory. */
  mod?: 'register' | 'memory';
}

/** One row; `count` opcodes share it (their low bits choose register or condition). */
export function row(
  first: number,
  count: number,
  op: string | null,
  operands = '',
  size: SizeRule = 'n',
  more: Partial<MapRow> = {},
): MapRow {
  return { first, count, op, operands, size, ...more };
}

/** The six encodings that ADD to CMP share: Eb,Gb Ev,Gv Gb,Eb Gv,Ev AL,Ib eAX,Iz. */
export function aluRows(first: number, op: string, lock = true): MapRow[] {
  return [
    row(first, 1, op, 'E,G', 'b', { lock }),
    row(first + 1, 1, op, 'E,G', 'v', { lock }),
    row(first + 2, 1, op, 'G,E', 'b'),
    row(first + 3, 1, op, 'G,E', 'v'),
    row(first + 4, 1, op, 'A,Ib', 'b'),
    row(first + 5, 1, op, 'A,Iz', 'v'),
  ];
}

export type { Size };
