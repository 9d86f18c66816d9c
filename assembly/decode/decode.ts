// The decoder: guest bytes to the records of a block (shared/records.ts). It alone knows encodings;
// which bytes mean what is in isa/, packed into generated/tables.ts.
// A block ends at a branch, at an operation with `ends`, and at the end of its page: ends depend on
// addresses only, never on where the block began, so that both tiers count and stop alike.
import {
  REGS,
  RAM_BASE,
  RECORDS,
  RECORDS_END,
  SAVED,
  SAVED_BITS,
  SAVED_MULTIPLIER,
  SLOT_ADDRESS,
  SLOT_SEGMENT_BASE,
  SLOT_ZERO,
} from '../shared/layout';
import {
  HEADER_BYTES,
  HEADER_COMPANION,
  HEADER_COUNT,
  HEADER_HEAT,
  HEADER_MARK,
  HEADER_MODE,
  HEADER_PHYSICAL,
  HEADER_RECORDS,
  HEADER_SECOND,
  HEADER_SIZE,
  MARK,
  RECORD_BASE,
  RECORD_CODE,
  RECORD_DISP,
  RECORD_IMM,
  RECORD_INDEX,
  RECORD_LENGTH,
  RECORD_R1,
  RECORD_R2,
  RECORD_SCALE,
  RECORD_SIZE,
} from '../shared/records';
import { COUNT_BLOCKS_DECODED } from '../shared/counters';
import { FAULT_PENDING } from '../shared/layout';
import { MODE_CODE32, MODE_FLAT, MODE_SINGLE, MODE_STACK32 } from '../shared/modes';
import {
  CODE_BIT_ADDRESS16_NONE,
  CODE_BIT_ADDRESS32_NONE,
  CODE_EA16_NONE,
  CODE_CALL_IND32_M,
  CODE_EA32_NONE,
  CODE_FETCH_FAULT_NONE,
  CODE_JMP_IND32_R,
  CODE_JO32_NONE,
  CODE_NEXT_NONE,
  CODE_NOP_NONE,
  CODE_UD_NONE,
  OP_BT,
  OP_BTC,
  OP_BTR,
  OP_BTS,
  OP_LEA,
  OP_MOVSX8,
  OP_MOVZX8,
  OP_POP,
  OP_POP_ANY,
  OP_RCL,
  OP_SHLD,
  OP_SHRD,
  OP_TOUCH,
  OP_RCR,
  OP_ROL,
  OP_ROR,
  OP_SAR,
  OP_SHL,
  OP_SHR,
} from '../generated/codes';
import {
  ALTERNATIVES,
  ATTRIBUTES,
  CODE_OF,
  GROUP_TABLES,
  MAP0F,
  MAP1,
  X87_MEMORY,
  X87_REGISTER,
} from '../generated/tables';
import { addBlock } from '../mem/codepages';
import { isRam } from '../mem/physical';
import { openBit, useSegment } from '../cpu/segments';
import { count, translateFetch } from '../mem/tlb';

/** The longest instruction (SDM vol. 2A 2.3.11). */
const LONGEST: u32 = 15;
/** The longest block: a page of one-byte instructions, three records each at the most. */
const ROOM: u32 = HEADER_SIZE + 4200 * 3 * RECORD_SIZE;

// Packing of a table entry (isa/generate/tables.ts).
const FLAG_LOCK: u32 = 1 << 26;
const FLAG_GROUP: u32 = 2 << 26;
const FLAG_REGISTER: u32 = 4 << 26;
const FLAG_MEMORY: u32 = 8 << 26;
const FLAG_VALID: u32 = 16 << 26;

// Operand kinds, in the order of OPERAND_KINDS.
const K_E: u32 = 1;
const K_W: u32 = 2;
const K_Q: u32 = 3;
const K_M: u32 = 4;
const K_U: u32 = 5;
const K_N: u32 = 6;
const K_R: u32 = 7;
const K_G: u32 = 8;
const K_V: u32 = 9;
const K_P: u32 = 10;
const K_S: u32 = 11;
const K_C: u32 = 12;
const K_D: u32 = 13;
const K_Z: u32 = 14;
const K_A: u32 = 15;
const K_CL: u32 = 16;
const K_O: u32 = 17;
const K_ST: u32 = 18;

// Immediate kinds, in the order of IMMEDIATE_KINDS.
const I_IB: u32 = 1;
const I_IW: u32 = 2;
const I_IZ: u32 = 3;
const I_ONE: u32 = 4;
const I_IWIB: u32 = 5;
const I_JB: u32 = 6;
const I_JZ: u32 = 7;
const I_FAR: u32 = 8;
const I_CONTEXT: u32 = 9;
const I_ES: u32 = 10;

// Forms, in the order of FORMS.
const F_RR: u32 = 0;
const F_RI: u32 = 1;
const F_RM: u32 = 2;
const F_MR: u32 = 3;
const F_MI: u32 = 4;
const F_R: u32 = 5;
const F_M: u32 = 6;
const F_NONE: u32 = 7;

const DS: u32 = 3;
const SS: u32 = 2;
const CS: u32 = 1;
const FS: u32 = 4;
const NO_SEGMENT: u32 = 7;

/** Where the next block goes. */
let free: u32 = RECORDS;

// --- The instruction being decoded ---------------------------------------------------------------

/** Next byte, in this memory. */
let at: u32 = 0;
/** The record being written. */
let out: u32 = 0;
let operand16: bool = false;
let address16: bool = false;
let segment: u32 = NO_SEGMENT;
let repeat: u32 = 0;
let locked: bool = false;
let modrm: u32 = 0;

// The memory operand as ModRM gives it.
let base: u32 = SLOT_ZERO;
let index: u32 = SLOT_ZERO;
let scale: u32 = 0;
let displacement: i32 = 0;

/** The last instruction's code: does it end the block? */
let ended: bool = false;

/** Heat of a new block that may have a saved translation (layout.ts SAVED). */
let savedHeat: u32 = 0;

export function setSavedHeat(heat: u32): void {
  savedHeat = heat;
}

function isSaved(linear: u32): bool {
  const bit = (linear * <u32>SAVED_MULTIPLIER) >>> (32 - SAVED_BITS);
  return ((load<u8>(SAVED + (bit >>> 3)) >>> (bit & 7)) & 1) != 0;
}

export function resetDecoder(): void {
  free = RECORDS;
}

/** False: no room is left for another block; the host drops them all. */
export function hasRoom(): bool {
  return free + ROOM < <u32>RECORDS_END;
}

function byte(): u32 {
  return load<u8>(at++);
}
function signed8(): i32 {
  return load<i8>(at++);
}
function word(): u32 {
  const value: u32 = load<u16>(at);
  at += 2;
  return value;
}
function dword(): u32 {
  const value = load<u32>(at);
  at += 4;
  return value;
}

/** ModRM, SIB and displacement of a memory operand (SDM vol. 2A 2.1.5). */
function decodeAddress(): void {
  const mod = modrm >>> 6;
  const rm = modrm & 7;
  base = SLOT_ZERO;
  index = SLOT_ZERO;
  scale = 0;
  displacement = 0;
  let stack = false;
  if (address16) {
    if (rm < 4) {
      base = (rm & 2 ? 5 : 3) << 2;
      index = (rm & 1 ? 7 : 6) << 2;
      stack = (rm & 2) != 0;
    } else if (rm == 6 && mod == 0) {
      displacement = word();
    } else {
      base = (rm == 4 ? 6 : rm == 5 ? 7 : rm == 6 ? 5 : 3) << 2;
      stack = rm == 6;
    }
    if (mod == 1) displacement = signed8();
    else if (mod == 2) displacement = <i32>(<i16>word());
  } else {
    if (rm == 4) {
      const sib = byte();
      const low = sib & 7;
      if (((sib >>> 3) & 7) != 4) {
        index = ((sib >>> 3) & 7) << 2;
        scale = sib >>> 6;
      }
      if (low == 5 && mod == 0) displacement = dword();
      else {
        base = low << 2;
        stack = low == 4 || low == 5;
      }
    } else if (rm == 5 && mod == 0) {
      displacement = dword();
    } else {
      base = rm << 2;
      stack = rm == 5;
    }
    if (mod == 1) displacement = signed8();
    else if (mod == 2) displacement = dword();
  }
  if (segment == NO_SEGMENT) segment = stack ? SS : DS;
}

/** Writes a record and moves on; the caller has set `out`'s other fields. */
function emit(code: u32, reg1: u32, reg2: u32, immediate: u32, length: u32): void {
  store<u16>(out, code, RECORD_CODE);
  store<u8>(out, reg1, RECORD_R1);
  store<u8>(out, reg2, RECORD_R2);
  store<u8>(out, base, RECORD_BASE);
  store<u8>(out, index, RECORD_INDEX);
  store<u8>(out, scale, RECORD_SCALE);
  store<u8>(out, length, RECORD_LENGTH);
  store<i32>(out, displacement, RECORD_DISP);
  store<u32>(out, immediate, RECORD_IMM);
  out += RECORD_SIZE;
}

function baseSlot(which: u32): u32 {
  return SLOT_SEGMENT_BASE + (which << 2);
}

/**
 * Makes the memory operand one that base + (index << scale) + disp reaches, with an EA record in
 * front where it needs limit checks, 16 bits, or a segment beside an index.
 */
function reachOperand(mode: u32, attributes: u32, isLea: bool): void {
  if (isLea) {
    if (!address16) return;
    emit(CODE_EA16_NONE, 0, 0, NO_SEGMENT, 0);
    useAddress();
    return;
  }
  const plain = (mode & MODE_FLAT) != 0 && !address16;
  // Nothing may be written through CS, flat or not.
  if (plain && segment < FS && !(segment == CS && attributes & 0x400)) return;
  const open = segment < FS ? 0 : openBit(segment);
  if (open) useSegment(segment, mode);
  if (plain && mode & open) {
    if (index == SLOT_ZERO) {
      index = baseSlot(segment);
      scale = 0;
      return;
    }
    if (base == SLOT_ZERO) {
      base = baseSlot(segment);
      return;
    }
  }
  emit(address16 ? CODE_EA16_NONE : CODE_EA32_NONE, 0, 0, segment | ((attributes & 0x7ff) << 8), 0);
  useAddress();
}

function useAddress(): void {
  base = SLOT_ADDRESS;
  index = SLOT_ZERO;
  scale = 0;
  displacement = 0;
}

/** An 8-bit register's slot: AL CL DL BL AH CH DH BH. */
function slot8(register: u32): u32 {
  return register < 4 ? register << 2 : ((register - 4) << 2) + 1;
}

function general(register: u32, size: u32): u32 {
  return size == 1 ? slot8(register) : register << 2;
}

/** Slot or number of a register operand. `size`: 0 none, 1 8 bits, 2 16, 3 32. */
function registerOf(kind: u32, size: u32, opcode: u32): u32 {
  const reg = (modrm >>> 3) & 7;
  const rm = modrm & 7;
  if (kind == K_G) return general(reg, size);
  if (kind == K_E || kind == K_R) return general(rm, size);
  if (kind == K_W || kind == K_Q || kind == K_U || kind == K_N) return rm << 4;
  if (kind == K_V || kind == K_P) return reg << 4;
  if (kind == K_S || kind == K_C || kind == K_D) return reg;
  if (kind == K_Z) return general(opcode & 7, size);
  if (kind == K_CL) return 4;
  return 0;
}

function isMemoryKind(kind: u32): bool {
  return kind == K_E || kind == K_W || kind == K_Q || kind == K_M;
}

function bad(): void {
  base = index = SLOT_ZERO;
  scale = 0;
  displacement = 0;
  emit(CODE_UD_NONE, 0, 0, 0, 0);
  ended = true;
}

/**
 * Decodes the instruction at `at` into records at `out`; sets `ended`. The record that carries the
 * length gets it from the caller.
 */
function decodeInstruction(mode: u32): void {
  const start = at;
  const is32 = (mode & MODE_CODE32) != 0;
  operand16 = !is32;
  address16 = !is32;
  segment = NO_SEGMENT;
  repeat = 0;
  locked = false;
  ended = false;
  let had66 = false;
  let opcode: u32 = 0;
  for (;;) {
    opcode = byte();
    if (opcode == 0x66) {
      operand16 = is32;
      had66 = true;
    } else if (opcode == 0x67) {
      address16 = is32;
    } else if (opcode == 0xf0) {
      locked = true;
    } else if (opcode == 0xf2) {
      repeat = 2;
    } else if (opcode == 0xf3) {
      repeat = 1;
    } else if ((opcode & 0xe7) == 0x26) {
      segment = (opcode >>> 3) & 3;
    } else if (opcode == 0x64 || opcode == 0x65) {
      segment = opcode - 0x60;
    } else {
      break;
    }
    if (at - start >= LONGEST) break;
  }
  if (at - start >= LONGEST) {
    tooLong();
    return;
  }
  // Find the row.
  let row: usize;
  let hasModrm = false;
  if (opcode == 0x0f) {
    opcode = byte();
    const variant: u32 = repeat ? (repeat == 1 ? 2 : 3) : had66 ? 1 : 0;
    row = MAP0F + ((variant * 256 + opcode) << 3);
  } else if ((opcode & 0xf8) == 0xd8) {
    modrm = byte();
    hasModrm = true;
    row =
      modrm < 0xc0
        ? X87_MEMORY + ((((opcode & 7) << 3) | ((modrm >>> 3) & 7)) << 3)
        : X87_REGISTER + ((((opcode & 7) << 6) | (modrm - 0xc0)) << 3);
  } else {
    row = MAP1 + (opcode << 3);
  }
  let entry = load<u32>(row);
  let kinds = load<u32>(row, 4);
  if (entry & FLAG_GROUP) {
    modrm = byte();
    hasModrm = true;
    const variant: u32 = repeat ? (repeat == 1 ? 2 : 3) : had66 ? 1 : 0;
    const which = ((variant * 2 + (modrm >= 0xc0 ? 1 : 0)) << 3) | ((modrm >>> 3) & 7);
    row = GROUP_TABLES + ((((kinds >>> 16) << 6) + which) << 3);
    entry = load<u32>(row);
    kinds = load<u32>(row, 4);
  }
  if ((entry & FLAG_VALID) == 0) {
    bad();
    return;
  }
  const first = kinds & 0xff;
  const second = (kinds >>> 8) & 0xff;
  // Operand letters 1 to 13 come from ModRM.
  if (!hasModrm && ((first && first <= K_D) || (second && second <= K_D))) {
    modrm = byte();
    hasModrm = true;
  }
  const rmIsRegister = modrm >= 0xc0;
  let memory: u32 = 0; // 1: the first operand, 2: the second
  if (hasModrm) {
    if (isMemoryKind(first)) memory = 1;
    else if (isMemoryKind(second)) memory = 2;
    const onlyMemory = first == K_M || second == K_M;
    const onlyRegister = first == K_U || first == K_N || second == K_U || second == K_N;
    if (rmIsRegister) {
      if (onlyMemory || entry & FLAG_MEMORY) {
        bad();
        return;
      }
      memory = 0;
    } else if (onlyRegister || entry & FLAG_REGISTER) {
      bad();
      return;
    }
    // MOV to and from control and debug registers take any mod as a register (SDM vol. 2B, MOV).
    if (first == K_R || second == K_R) memory = 0;
  }
  base = index = SLOT_ZERO;
  scale = 0;
  displacement = 0;
  if (memory) decodeAddress();
  // Size.
  const rule = (entry >>> 16) & 15;
  let size: u32 = 0;
  if (rule == 1) size = 1;
  else if (rule == 2) size = 2;
  else if (rule == 3) size = 3;
  else if (rule == 4) size = operand16 ? 2 : 3;
  // Operation, as the context makes it.
  let op = entry & 0xffff;
  const flat32 = (mode & (MODE_FLAT | MODE_STACK32)) == (MODE_FLAT | MODE_STACK32);
  const alternatives = ALTERNATIVES + (op << 3);
  const immediateKind = (entry >>> 20) & 63;
  if (immediateKind == I_CONTEXT && repeat && load<u16>(alternatives, 4) != 0xffff) {
    op = load<u16>(alternatives, 4);
  } else if (rule == 4 && operand16 && load<u16>(alternatives, 2) != 0xffff) {
    op = load<u16>(alternatives, 2);
  } else if (!flat32 && load<u16>(alternatives) != 0xffff) {
    op = load<u16>(alternatives);
  } else if (flat32 && !operand16 && load<u16>(alternatives, 6) != 0xffff) {
    op = load<u16>(alternatives, 6);
  }
  // No segment register 6 or 7, and CS cannot be loaded: #UD before the operand is looked at.
  if (first == K_S || second == K_S) {
    const reg = (modrm >>> 3) & 7;
    if (reg > 5 || (first == K_S && reg == 1)) {
      bad();
      return;
    }
  }
  // Operands O: an address in the instruction.
  if (first == K_O || second == K_O) {
    displacement = address16 ? word() : dword();
    if (segment == NO_SEGMENT) segment = DS;
    memory = first == K_O ? 1 : 2;
  }
  // Immediate.
  let immediate: u32 = 0;
  let hasImmediate = false;
  if (immediateKind) {
    hasImmediate = true;
    if (immediateKind == I_IB) immediate = signed8();
    else if (immediateKind == I_IW) {
      immediate = word();
      hasImmediate = false;
    } else if (immediateKind == I_IZ) {
      immediate = operand16 ? <i32>(<i16>word()) : dword();
    } else if (immediateKind == I_ONE) immediate = 1;
    else if (immediateKind == I_IWIB) {
      immediate = word();
      displacement = byte();
    } else if (immediateKind == I_JB) immediate = signed8();
    else if (immediateKind == I_JZ) {
      immediate = operand16 ? <i32>(<i16>word()) : dword();
    } else if (immediateKind == I_FAR) {
      immediate = operand16 ? word() : dword();
      displacement = word();
    } else if (immediateKind == I_CONTEXT) {
      const source = segment == NO_SEGMENT ? DS : segment;
      immediate = repeat | (address16 ? 4 : 0) | (source << 4);
    } else {
      immediate = immediateKind - I_ES;
    }
  }
  if (first == K_ST || second == K_ST) immediate = modrm & 7;
  if (locked && ((entry & FLAG_LOCK) == 0 || memory != 1)) {
    bad();
    return;
  }
  if (at - start > LONGEST) {
    tooLong();
    return;
  }
  // Form and registers.
  let form: u32 = F_NONE;
  let reg1: u32 = 0;
  let reg2: u32 = 0;
  const firstIs = first != 0 && first != K_ST;
  const secondIs = second != 0 && second != K_ST;
  const sourceSize: u32 = op == OP_MOVZX8 || op == OP_MOVSX8 ? 1 : size;
  if (firstIs && secondIs) {
    if (memory == 1) {
      form = F_MR;
      reg2 = registerOf(second, sourceSize, opcode);
    } else if (memory == 2) {
      form = F_RM;
      reg1 = registerOf(first, size, opcode);
    } else {
      form = F_RR;
      reg1 = registerOf(first, size, opcode);
      reg2 = registerOf(second, sourceSize, opcode);
    }
  } else if (firstIs) {
    if (hasImmediate) form = memory ? F_MI : F_RI;
    else form = memory ? F_M : F_R;
    if (!memory) reg1 = registerOf(first, size, opcode);
  } else if (immediateKind == I_JB) {
    // LOOP and JCXZ count in CX or ECX by address size.
    reg1 = address16 ? 1 : 0;
  }
  // A shift by zero changes nothing, not even flags, but accesses its memory operand.
  if (isShift(op) && immediateKind && (immediate & 31) == 0) {
    if (!memory) {
      useNothing();
      emit(CODE_NOP_NONE, 0, 0, 0, 0);
      return;
    }
    op = OP_TOUCH;
    form = F_M;
  }
  let code: u32 = load<u16>(CODE_OF + ((((op << 2) | size) << 3) | form) * 2);
  if (!code) code = load<u16>(CODE_OF + (((op << 2) << 3) | form) * 2);
  if (!code) {
    bad();
    return;
  }
  const attributes: u32 = load<u16>(ATTRIBUTES + code * 2);
  if (memory) {
    // POP computes its address after ESP has moved.
    if (base == 16 && !address16) {
      if (op == OP_POP) displacement += 4;
      else if (op == OP_POP_ANY) displacement += size == 2 ? 2 : 4;
    }
    reachOperand(mode, attributes, op == OP_LEA);
    if (form == F_MR && (op == OP_BT || op == OP_BTS || op == OP_BTR || op == OP_BTC)) {
      emit(size == 2 ? CODE_BIT_ADDRESS16_NONE : CODE_BIT_ADDRESS32_NONE, 0, reg2, 0, 0);
      useAddress();
    }
  }
  emit(code, reg1, reg2, immediate, 0);
  ended = (attributes & 0x800) != 0 || isTerminator(code);
}

function useNothing(): void {
  base = index = SLOT_ZERO;
  scale = 0;
  displacement = 0;
}

function tooLong(): void {
  useNothing();
  emit(CODE_FETCH_FAULT_NONE, 0, 0, 0, 0);
  ended = true;
}

function isShift(op: u32): bool {
  return (
    op == OP_SHL ||
    op == OP_SHR ||
    op == OP_SAR ||
    op == OP_ROL ||
    op == OP_ROR ||
    op == OP_RCL ||
    op == OP_RCR ||
    op == OP_SHLD ||
    op == OP_SHRD
  );
}

// --- Blocks -----------------------------------------------------------------------------------------

/** The bytes around a page's end: the last ones of it, then those of the next page. */
const EDGE: usize = memory.data(64);

/**
 * Decodes the block at `linear`, whose first byte is at `physical`, under `mode`. Gives its header,
 * or 0 with a fault noted (the second page of its first instruction cannot be fetched).
 * hasRoom() was true.
 */
export function decodeBlock(linear: u32, physical: u32, mode: u32): u32 {
  const block = free;
  out = block + HEADER_SIZE;
  const pageEnd = (physical | 0xfff) + 1;
  let here = physical;
  let instructions: u32 = 0;
  let second: u32 = 0;
  ended = false;
  const ram = isRam(physical);
  memory.fill(block, 0, HEADER_SIZE);
  while (!ended) {
    const left = pageEnd - here;
    if (left == 0) break;
    const record = out;
    let length: u32;
    if (ram && left >= LONGEST + 4) {
      at = RAM_BASE + here;
      decodeInstruction(mode);
      length = at - (RAM_BASE + here);
    } else {
      // Near the end: from a copy, so that no byte beyond the page is looked at.
      const have = min(left, <u32>32);
      if (ram) {
        memory.fill(EDGE, 0, 64);
        memory.copy(EDGE, RAM_BASE + here, have);
      } else {
        memory.fill(EDGE, 0xff, 64);
      }
      at = <u32>EDGE;
      decodeInstruction(mode);
      length = at - <u32>EDGE;
      if (length > left) {
        out = record;
        if (instructions) {
          ended = false;
          break;
        }
        // The first instruction crosses: it is a block of its own.
        const next = translateFetch((linear | 0xfff) + 1);
        if (load<u32>(FAULT_PENDING)) return 0;
        second = next & ~0xfff;
        if (isRam(next)) memory.copy(EDGE + left, RAM_BASE + second, 16);
        else memory.fill(EDGE + left, 0xff, 16);
        at = <u32>EDGE;
        decodeInstruction(mode);
        length = at - <u32>EDGE;
        if (length <= left) second = 0;
      }
    }
    store<u8>(out - RECORD_SIZE, length, RECORD_LENGTH);
    here += length;
    instructions++;
    if (mode & MODE_SINGLE || second) break;
  }
  const bytes = here - physical;
  if (!ended) {
    useNothing();
    emit(CODE_NEXT_NONE, 0, 0, 0, 0);
  }
  // Terminators carry what they retire; other records that end a block find it by walking.
  const last = out - RECORD_SIZE;
  if (isTerminator(load<u16>(last))) storeRetirement(last, (bytes << 16) | instructions);
  store<u16>(block, MARK, HEADER_MARK);
  store<u32>(block, physical, HEADER_PHYSICAL);
  store<u32>(block, mode, HEADER_MODE);
  store<u16>(block, instructions, HEADER_COUNT);
  store<u16>(block, second ? pageEnd - physical : bytes, HEADER_BYTES);
  store<u16>(block, (out - block - HEADER_SIZE) / RECORD_SIZE, HEADER_RECORDS);
  count(COUNT_BLOCKS_DECODED);
  free = out;
  if ((mode & MODE_SINGLE) == 0 && isSaved(linear)) store<u32>(block, savedHeat, HEADER_HEAT);
  if (second) {
    store<u32>(block, second, HEADER_SECOND);
    const companion = free;
    free += HEADER_SIZE;
    memory.fill(companion, 0, HEADER_SIZE);
    store<u16>(companion, MARK, HEADER_MARK);
    store<u32>(companion, second, HEADER_PHYSICAL);
    // No lookup has this mode: the companion is in the list for its bytes only.
    store<u32>(companion, 0xfffffffe, HEADER_MODE);
    store<u16>(companion, here - pageEnd, HEADER_BYTES);
    store<u32>(companion, block, HEADER_COMPANION);
    store<u32>(block, companion, HEADER_COMPANION);
    addBlock(companion);
  }
  addBlock(block);
  return block;
}

/** Near branches and NEXT: the codes that know how to leave a block by themselves. */
export function isTerminator(code: u32): bool {
  return code >= <u32>CODE_JO32_NONE && code <= <u32>CODE_NEXT_NONE;
}

/** Bytes << 16 | instructions go into disp, but of indirect branches, whose address that is, into imm. */
function storeRetirement(last: u32, retirement: u32): void {
  const code: u32 = load<u16>(last);
  const indirect = code >= <u32>CODE_JMP_IND32_R && code <= <u32>CODE_CALL_IND32_M;
  if (indirect) store<u32>(last, retirement, RECORD_IMM);
  else store<u32>(last, retirement, RECORD_DISP);
}
