/**
 * WebAssembly opcodes and type codes (core specification 2.0, 5.4): numbers only.
 * An opcode under the FC (saturation, bulk memory) or FD (vector) prefix is its number after the
 * prefix; Encoder.simd() and Encoder.memoryCopy() and the like write the prefix.
 */

// Value types
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
/** The block type of a block without a result. */
export const VOID = 0x40;

// External kinds
export const KIND_FUNCTION = 0;
export const KIND_TABLE = 1;
export const KIND_MEMORY = 2;
export const KIND_GLOBAL = 3;
export const KIND_TAG = 4;

// Sections
export const SECTION_CUSTOM = 0;
export const SECTION_TYPE = 1;
export const SECTION_IMPORT = 2;
export const SECTION_FUNCTION = 3;
export const SECTION_TABLE = 4;
export const SECTION_MEMORY = 5;
export const SECTION_GLOBAL = 6;
export const SECTION_EXPORT = 7;
export const SECTION_START = 8;
export const SECTION_ELEMENT = 9;
export const SECTION_CODE = 10;
export const SECTION_DATA = 11;
export const SECTION_DATA_COUNT = 12;

// Control
export const UNREACHABLE = 0x00;
export const NOP = 0x01;
export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const ELSE = 0x05;
export const END = 0x0b;
export const BR = 0x0c;
export const BR_IF = 0x0d;
export const BR_TABLE = 0x0e;
export const RETURN = 0x0f;
export const CALL = 0x10;
export const CALL_INDIRECT = 0x11;
export const RETURN_CALL = 0x12;
export const RETURN_CALL_INDIRECT = 0x13;

// Parametric and variable
export const DROP = 0x1a;
export const SELECT = 0x1b;
export const SELECT_TYPED = 0x1c;
export const LOCAL_GET = 0x20;
export const LOCAL_SET = 0x21;
export const LOCAL_TEE = 0x22;
export const GLOBAL_GET = 0x23;
export const GLOBAL_SET = 0x24;
export const TABLE_GET = 0x25;
export const TABLE_SET = 0x26;

// Memory
export const I32_LOAD = 0x28;
export const I64_LOAD = 0x29;
export const F32_LOAD = 0x2a;
export const F64_LOAD = 0x2b;
export const I32_LOAD8_S = 0x2c;
export const I32_LOAD8_U = 0x2d;
export const I32_LOAD16_S = 0x2e;
export const I32_LOAD16_U = 0x2f;
export const I64_LOAD8_S = 0x30;
export const I64_LOAD8_U = 0x31;
export const I64_LOAD16_S = 0x32;
export const I64_LOAD16_U = 0x33;
export const I64_LOAD32_S = 0x34;
export const I64_LOAD32_U = 0x35;
export const I32_STORE = 0x36;
export const I64_STORE = 0x37;
export const F32_STORE = 0x38;
export const F64_STORE = 0x39;
export const I32_STORE8 = 0x3a;
export const I32_STORE16 = 0x3b;
export const I64_STORE8 = 0x3c;
export const I64_STORE16 = 0x3d;
export const I64_STORE32 = 0x3e;
export const MEMORY_SIZE = 0x3f;
export const MEMORY_GROW = 0x40;

// Constants
export const I32_CONST = 0x41;
export const I64_CONST = 0x42;
export const F32_CONST = 0x43;
export const F64_CONST = 0x44;

// Comparisons
export const I32_EQZ = 0x45;
export const I32_EQ = 0x46;
export const I32_NE = 0x47;
export const I32_LT_S = 0x48;
export const I32_LT_U = 0x49;
export const I32_GT_S = 0x4a;
export const I32_GT_U = 0x4b;
export const I32_LE_S = 0x4c;
export const I32_LE_U = 0x4d;
export const I32_GE_S = 0x4e;
export const I32_GE_U = 0x4f;
export const I64_EQZ = 0x50;
export const I64_EQ = 0x51;
export const I64_NE = 0x52;
export const I64_LT_S = 0x53;
export const I64_LT_U = 0x54;
export const I64_GT_S = 0x55;
export const I64_GT_U = 0x56;
export const I64_LE_S = 0x57;
export const I64_LE_U = 0x58;
export const I64_GE_S = 0x59;
export const I64_GE_U = 0x5a;
export const F32_EQ = 0x5b;
export const F32_NE = 0x5c;
export const F32_LT = 0x5d;
export const F32_GT = 0x5e;
export const F32_LE = 0x5f;
export const F32_GE = 0x60;
export const F64_EQ = 0x61;
export const F64_NE = 0x62;
export const F64_LT = 0x63;
export const F64_GT = 0x64;
export const F64_LE = 0x65;
export const F64_GE = 0x66;

// Arithmetic
export const I32_CLZ = 0x67;
export const I32_CTZ = 0x68;
export const I32_POPCNT = 0x69;
export const I32_ADD = 0x6a;
export const I32_SUB = 0x6b;
export const I32_MUL = 0x6c;
export const I32_DIV_S = 0x6d;
export const I32_DIV_U = 0x6e;
export const I32_REM_S = 0x6f;
export const I32_REM_U = 0x70;
export const I32_AND = 0x71;
export const I32_OR = 0x72;
export const I32_XOR = 0x73;
export const I32_SHL = 0x74;
export const I32_SHR_S = 0x75;
export const I32_SHR_U = 0x76;
export const I32_ROTL = 0x77;
export const I32_ROTR = 0x78;
export const I64_CLZ = 0x79;
export const I64_CTZ = 0x7a;
export const I64_POPCNT = 0x7b;
export const I64_ADD = 0x7c;
export const I64_SUB = 0x7d;
export const I64_MUL = 0x7e;
export const I64_DIV_S = 0x7f;
export const I64_DIV_U = 0x80;
export const I64_REM_S = 0x81;
export const I64_REM_U = 0x82;
export const I64_AND = 0x83;
export const I64_OR = 0x84;
export const I64_XOR = 0x85;
export const I64_SHL = 0x86;
export const I64_SHR_S = 0x87;
export const I64_SHR_U = 0x88;
export const I64_ROTL = 0x89;
export const I64_ROTR = 0x8a;
export const F32_ABS = 0x8b;
export const F32_NEG = 0x8c;
export const F32_CEIL = 0x8d;
export const F32_FLOOR = 0x8e;
export const F32_TRUNC = 0x8f;
export const F32_NEAREST = 0x90;
export const F32_SQRT = 0x91;
export const F32_ADD = 0x92;
export const F32_SUB = 0x93;
export const F32_MUL = 0x94;
export const F32_DIV = 0x95;
export const F32_MIN = 0x96;
export const F32_MAX = 0x97;
export const F32_COPYSIGN = 0x98;
export const F64_ABS = 0x99;
export const F64_NEG = 0x9a;
export const F64_CEIL = 0x9b;
export const F64_FLOOR = 0x9c;
export const F64_TRUNC = 0x9d;
export const F64_NEAREST = 0x9e;
export const F64_SQRT = 0x9f;
export const F64_ADD = 0xa0;
export const F64_SUB = 0xa1;
export const F64_MUL = 0xa2;
export const F64_DIV = 0xa3;
export const F64_MIN = 0xa4;
export const F64_MAX = 0xa5;
export const F64_COPYSIGN = 0xa6;

// Conversions
export const I32_WRAP_I64 = 0xa7;
export const I32_TRUNC_F32_S = 0xa8;
export const I32_TRUNC_F32_U = 0xa9;
export const I32_TRUNC_F64_S = 0xaa;
export const I32_TRUNC_F64_U = 0xab;
export const I64_EXTEND_I32_S = 0xac;
export const I64_EXTEND_I32_U = 0xad;
export const I64_TRUNC_F32_S = 0xae;
export const I64_TRUNC_F32_U = 0xaf;
export const I64_TRUNC_F64_S = 0xb0;
export const I64_TRUNC_F64_U = 0xb1;
export const F32_CONVERT_I32_S = 0xb2;
export const F32_CONVERT_I32_U = 0xb3;
export const F32_CONVERT_I64_S = 0xb4;
export const F32_CONVERT_I64_U = 0xb5;
export const F32_DEMOTE_F64 = 0xb6;
export const F64_CONVERT_I32_S = 0xb7;
export const F64_CONVERT_I32_U = 0xb8;
export const F64_CONVERT_I64_S = 0xb9;
export const F64_CONVERT_I64_U = 0xba;
export const F64_PROMOTE_F32 = 0xbb;
export const I32_REINTERPRET_F32 = 0xbc;
export const I64_REINTERPRET_F64 = 0xbd;
export const F32_REINTERPRET_I32 = 0xbe;
export const F64_REINTERPRET_I64 = 0xbf;
export const I32_EXTEND8_S = 0xc0;
export const I32_EXTEND16_S = 0xc1;
export const I64_EXTEND8_S = 0xc2;
export const I64_EXTEND16_S = 0xc3;
export const I64_EXTEND32_S = 0xc4;

// References
export const REF_NULL = 0xd0;
export const REF_IS_NULL = 0xd1;
export const REF_FUNC = 0xd2;

// Prefixes
export const PREFIX_FC = 0xfc;
export const PREFIX_SIMD = 0xfd;
export const PREFIX_ATOMIC = 0xfe;

// After PREFIX_FC
export const I32_TRUNC_SAT_F32_S = 0x00;
export const I32_TRUNC_SAT_F32_U = 0x01;
export const I32_TRUNC_SAT_F64_S = 0x02;
export const I32_TRUNC_SAT_F64_U = 0x03;
export const I64_TRUNC_SAT_F32_S = 0x04;
export const I64_TRUNC_SAT_F32_U = 0x05;
export const I64_TRUNC_SAT_F64_S = 0x06;
export const I64_TRUNC_SAT_F64_U = 0x07;
export const MEMORY_INIT = 0x08;
export const DATA_DROP = 0x09;
export const MEMORY_COPY = 0x0a;
export const MEMORY_FILL = 0x0b;
export const TABLE_INIT = 0x0c;
export const ELEM_DROP = 0x0d;
export const TABLE_COPY = 0x0e;
export const TABLE_GROW = 0x0f;
export const TABLE_SIZE = 0x10;
export const TABLE_FILL = 0x11;
