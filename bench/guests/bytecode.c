/*
 * An interpreter of a made-up byte code, each instruction of which ends in an indirect jump to the
 * next one's code, as interpreters of Forth, Python or JavaScript are written.
 */
#include "rows.h"

enum { LOAD, ADD, ADD_IMMEDIATE, TRIPLE, HALVE, IF_ODD, IF_NOT_ONE, IF_NOT_EQUAL, JUMP, STOP };

/*
 * 3x + 1 from each number from 2 to SEEDS down to 1. Registers: 0 where it starts, 1 where it is,
 * 2 the steps in all, 3 SEEDS, 4 the sum of the numbers met. Operands follow the opcode; targets
 * are indexes.
 */
#define SEEDS 200
static const u8 program[] = {
	/*  0 */ ADD_IMMEDIATE, 0, 1,
	/*  3 */ LOAD, 1, 0,
	/*  6 */ ADD_IMMEDIATE, 2, 1,
	/*  9 */ IF_ODD, 1, 16,
	/* 12 */ HALVE, 1,
	/* 14 */ JUMP, 18,
	/* 16 */ TRIPLE, 1,
	/* 18 */ ADD, 4, 1,
	/* 21 */ IF_NOT_ONE, 1, 6,
	/* 24 */ IF_NOT_EQUAL, 0, 3, 0,
	/* 28 */ STOP,
};

__attribute__((noinline)) static u32 interpret(const u8 *code, u32 *r)
{
	static const void *const labels[] = {
		[LOAD] = &&load,	 [ADD] = &&add,		[ADD_IMMEDIATE] = &&add_immediate,
		[TRIPLE] = &&triple,	 [HALVE] = &&halve,	[IF_ODD] = &&if_odd,
		[IF_NOT_ONE] = &&if_not_one, [IF_NOT_EQUAL] = &&if_not_equal,
		[JUMP] = &&jump,	 [STOP] = &&stop,
	};
	const u8 *pc = code;

#define NEXT goto *labels[*pc]
	NEXT;
load:
	r[pc[1]] = r[pc[2]];
	pc += 3;
	NEXT;
add:
	r[pc[1]] += r[pc[2]];
	pc += 3;
	NEXT;
add_immediate:
	r[pc[1]] += pc[2];
	pc += 3;
	NEXT;
triple:
	r[pc[1]] = r[pc[1]] * 3 + 1;
	pc += 2;
	NEXT;
halve:
	r[pc[1]] >>= 1;
	pc += 2;
	NEXT;
if_odd:
	pc = r[pc[1]] & 1 ? code + pc[2] : pc + 3;
	NEXT;
if_not_one:
	pc = r[pc[1]] != 1 ? code + pc[2] : pc + 3;
	NEXT;
if_not_equal:
	pc = r[pc[1]] != r[pc[2]] ? code + pc[3] : pc + 4;
	NEXT;
jump:
	pc = code + pc[1];
	NEXT;
stop:
	return r[2] ^ r[4];
}

/* n times the program. */
u32 bytecode(u32 n)
{
	u32 sum = 0;

	while (n--) {
		u32 registers[5] = { 1, 0, 0, SEEDS, n };

		sum = sum * 5 + interpret(program, registers);
	}
	return sum;
}
