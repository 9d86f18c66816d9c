/**
 * What a row of x86 looks like. x86 is written down in this folder (which bytes, which operands,
 * which flags, which function) and in assembly/ops (what the function computes), and nowhere else:
 * isa/generate.ts makes the decoder's tables and the interpreter's cases from these rows, and the
 * translator reads the same rows.
 */

/** Operand size in bits; an operation without one says 0. */
export type Size = 0 | 8 | 16 | 32;

/**
 * Where an argument comes from.
 *
 * r1 r2        general register of the operation's size, sign-extended to i32
 * r1:N r2:N    the same at N bits, sign-extended
 * m  m:N       memory at the operand address, of the operation's size or N bits; 8 and 16 bits
 *              sign-extended i32, 32 i32, 64 i64, 128 v128
 * m:32x m:64x  memory of 32 or 64 bits as the low lane of a v128, the rest zero
 * x1 x2        XMM register, v128        mm1 mm2   MMX register, i64
 * imm          the record's immediate, i32
 * ea           the operand's linear address, i32
 * rp           address of the record, i32
 * cf           the carry flag, 0 or 1    eflags    the six arithmetic flags at their EFLAGS places
 * cc           the condition of the operation's row, 0 or 1
 * acc          the accumulator of the operation's size, sign-extended; ecx: CL as i32
 * EDX:EAX      EDX and EAX as one i64 (DX:AX as i32, AX as i32: the narrower dividends)
 * pop          the word at the top of the stack; ESP moves when the result is stored
 * eflags32     the whole of EFLAGS as PUSHF stores it
 * a b r        in `flags` only: first argument, second argument, result
 */
export type Source = string;

/**
 * Where the result goes: r1 r2 (with :N), m (with :N; a store; when the same form also reads m it
 * is a read-modify-write and the write is checked first), x1, mm1, push (the stack), acc, a
 * register pair (EDX:EAX from an i64, DX:AX and AX from an i32), or nothing.
 */
export type Sink = string | null;

/** One operand form of an operation; `name` is one of FORMS. */
export interface Form {
  name: FormName;
  args: Source[];
  result: Sink;
  /** A second sink, always a register, and the source that goes there: XCHG, XADD, CMPXCHG. */
  second?: { sink: string; source: Source };
}

/** The operand forms a decoded record can have. Their order is the index in the code table. */
export const FORMS = ['rr', 'ri', 'rm', 'mr', 'mi', 'r', 'm', 'none'] as const;
export type FormName = (typeof FORMS)[number];

/** Lazy-flag kinds as rows name them; LOGIC is CO with B = 0, NEG is SUB from zero. */
export type FlagKind = 'ADD' | 'ADC' | 'SUB' | 'SBB' | 'LOGIC' | 'NEG';

/**
 * What becomes of the arithmetic flags: a kind (operands and result are kept), or a function that
 * gives FLAG_B for kind CO, or all six bits for kind BITS: "shl_co(a, b, r)".
 */
export type Flags = FlagKind | { co: string } | { bits: string } | { sub: [Source, Source] };

/** How an operation may be executed by translated code, and what it does besides its result. */
export interface Operation {
  /** The manual's mnemonic, upper case; with a suffix where one mnemonic is two operations. */
  name: string;
  sizes: Size[];
  forms: Form[];
  /** Function in assembly/ops, `%` standing for the size; null: the result is the last argument (a move). */
  fn: string | null;
  /** fn takes arguments and gives a value; touches no register, no memory, never throws. */
  leaf: boolean;
  flags?: Flags;
  /** The condition, for JCC, SETCC and CMOVCC rows. */
  cc?: number;
  /** The result is stored only when this source is nonzero (CMOVcc). */
  when?: Source;
  /** Registers that fn reads and writes in the register file: "EAX EDX"; "all" for any. */
  implicit?: string;
  /** A leaf of the arguments: zero means that `guardFault` is raised instead: "div32_ok". */
  guard?: string;
  guardFault?: number;
  /** fn may throw a guest fault: EIP_CURRENT is set and everything is in memory before it. */
  throws?: boolean;
  /** Checked before anything else: #NM, #MF or #UD as the unit demands. */
  unit?: 'x87' | 'x87-nowait' | 'mmx' | 'sse';
  /** Called when the result is stored: an x87 pop. */
  after?: string;
  /** The block ends here and the next address comes from EIP, which fn may change. */
  ends?: boolean;
  /** A branch: the terminators that interpreter and translator know by themselves. */
  control?: 'jcc' | 'jmp' | 'call' | 'ret' | 'jmp-indirect' | 'call-indirect' | 'next';
  /** In the interpreter's main function, whose body must stay below 38 KB (codes.ts). */
  hot?: boolean;
  /** Memory operands must be aligned to this many bytes, else #GP(0). */
  align?: number;
  /** Bytes an operand address covers, where the size does not say it (for limit checks). */
  bytes?: number;
  /** fn stores there by itself: the segment must be writable. */
  writes?: boolean;
}

export const SIZES = [8, 16, 32] as const;

/** Condition codes 0 to 15 as Jcc, SETcc and CMOVcc name them. */
// prettier-ignore
export const CONDITIONS = [
  'O', 'NO', 'B', 'AE', 'E', 'NE', 'BE', 'A', 'S', 'NS', 'P', 'NP', 'L', 'GE', 'LE', 'G',
];
