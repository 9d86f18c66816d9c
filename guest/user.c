/*
 * The program of both processes, linked at USER_BASE: what it finds in memory, registers and the
 * FPU must be its own, whatever the other does at the same addresses.
 */
#include "include/layout.h"
#include "include/syscalls.h"
#include "include/types.h"

#define PAGES 24
#define ROUNDS 8
#define MESSAGES (USER_HEAP + 0x40000)
#define PRIVATE (USER_HEAP + 0x50000)
#define SHARED (USER_HEAP + 0x51000)
#define WORD(address) (*(volatile u32 *)(address))

static int has_sysenter;

__asm__(".section .text.start, \"ax\"\n"
	".globl user_start\n"
	"user_start:\n"
	"	call user_main\n"
	"	movl %eax, %ebx\n"
	"	xorl %eax, %eax\n"
	"	int $0x80\n"
	".text\n"
	"fast_call:\n"
	"	pushl %ecx\n"
	"	pushl %edx\n"
	"	pushl %ebp\n"
	"	movl %esp, %ebp\n"
	"	sysenter\n"
	".globl sysenter_return\n"
	"sysenter_return:\n"
	"	popl %ebp\n"
	"	popl %edx\n"
	"	popl %ecx\n"
	"	ret\n");

static u32 slow(u32 number, u32 a, u32 b, u32 c)
{
	__asm__ __volatile__("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c) : "memory");
	return number;
}

static u32 fast(u32 number, u32 a, u32 b, u32 c)
{
	__asm__ __volatile__("call fast_call" : "+a"(number) : "b"(a), "c"(b), "d"(c) : "memory", "cc");
	return number;
}

static u32 call(u32 number, u32 a, u32 b, u32 c)
{
	static u32 turn;

	return has_sysenter && turn++ & 1 ? fast(number, a, b, c) : slow(number, a, b, c);
}

static void check(const char *text, u32 is, u32 wanted)
{
	call(SYS_CHECK, (u32)text, is, wanted);
}

static void meet(void)
{
	call(SYS_MEET, 0, 0, 0);
}

static void check_calls(u32 pid)
{
	u32 out[4];

	__asm__("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "0"(1));
	has_sysenter = out[3] >> 11 & 1;
	check("getpid by INT 80h", slow(SYS_GETPID, 0, 0, 0), pid);
	if (has_sysenter)
		for (u32 i = 0; i < 50; i++)
			check("getpid by SYSENTER", fast(SYS_GETPID, 0, 0, 0), pid);
	check("an unknown system call", slow(999, 0, 0, 0), -1u);
}

static void check_own_pages(u32 pid)
{
	for (u32 i = 0; i < PAGES; i++) {
		check("a new page", WORD(USER_HEAP + i * PAGE_SIZE), 0);
		WORD(USER_HEAP + i * PAGE_SIZE) = pid << 16 | i;
		if (i % 5 == 0)
			call(SYS_YIELD, 0, 0, 0);
	}
	for (u32 turn = 0; turn < 4; turn++) {
		meet();
		for (u32 i = 0; i < PAGES; i++)
			check("an own page", WORD(USER_HEAP + i * PAGE_SIZE), pid << 16 | i);
	}
}

/* Every general register for a while, with the timer coming in between. */
static u32 spin(u32 pid, u32 turns)
{
	u32 sum;

	__asm__ __volatile__("pushl %%ebp\n"
			     "movl %1, %%edx; imull $0x01010101, %%edx, %%edx\n"
			     "leal 1(%%edx), %%ebx; leal 2(%%edx), %%esi\n"
			     "leal 3(%%edx), %%edi; leal 4(%%edx), %%ebp\n"
			     "1: decl %%ecx\n"
			     "jnz 1b\n"
			     "leal (%%ebx,%%esi), %%eax\n"
			     "addl %%edi, %%eax; addl %%ebp, %%eax\n"
			     "shll $2, %%edx; subl %%edx, %%eax\n"
			     "popl %%ebp"
			     : "=a"(sum), "+d"(pid), "+c"(turns)
			     :
			     : "ebx", "esi", "edi", "cc");
	return sum;
}

static void check_preemption(u32 pid)
{
	static u32 tls;
	u32 start = call(SYS_PREEMPTIONS, 0, 0, 0), one = pid * 1000, seen, gs;

	tls = 0x7150000 + pid;
	call(SYS_SET_TLS, (u32)&tls, 0, 0);
	__asm__ __volatile__("movw %w0, %%gs; fildl %1; fildl %1" : : "r"(TLS_SELECTOR), "m"(one));
	while (call(SYS_PREEMPTIONS, 0, 0, 0) - start < 5) {
		check("registers", spin(pid, 20000), 10);
		__asm__ __volatile__("movl %%gs:0, %0" : "=r"(gs));
		check("thread-local storage", gs, 0x7150000 + pid);
		__asm__ __volatile__("fistl %0" : "=m"(seen));
		check("the FPU", seen, pid * 1000);
	}
	__asm__ __volatile__("fstp %%st(0); fstp %%st(0); movw %w0, %%gs" : : "r"(0));
}

/* One page in both, read-only, until each has its own. */
static void check_shared(u32 pid)
{
	int first = pid & 1;

	WORD(SHARED) = 0xAAAA0000 + pid;
	meet();
	if (first)
		call(SYS_SHARE, SHARED, 0, 0);
	meet();
	check("a shared page", WORD(SHARED), 0xAAAA0000 + (first ? pid : pid - 1));
	meet();
	if (!first)
		WORD(SHARED) = 0xBBBB;
	meet();
	check("a copy on write", WORD(SHARED), first ? 0xAAAA0000 + pid : 0xBBBB);
	meet();
	if (first)
		WORD(SHARED) = 0xCCCC;
	meet();
	check("both copies", WORD(SHARED), first ? 0xCCCC : 0xBBBB);
	meet();
}

static void check_unmapped(void)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		WORD(PRIVATE) = 0x1234;
		check("a page", WORD(PRIVATE), 0x1234);
		call(SYS_UNMAP, PRIVATE, 0, 0);
		check("an unmapped page, new", WORD(PRIVATE), 0);
	}
}

/* Each changes the other's memory while that is not running. */
static void check_given(u32 pid)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 other = pid & 1 ? pid + 1 : pid - 1;

		WORD(MESSAGES);
		meet();
		call(SYS_GIVE, MESSAGES, pid << 8 | i, i & 1);
		WORD(MESSAGES + PAGE_SIZE) = pid * 100 + i;
		meet();
		check("a page given by the other", WORD(MESSAGES), other << 8 | i);
		if (i & 2)
			call(SYS_RENEW_TABLE, MESSAGES, 0, 0);
		meet();
		check("after the table changed", WORD(MESSAGES), other << 8 | i);
		check("a neighbour after the table changed", WORD(MESSAGES + PAGE_SIZE), pid * 100 + i);
		meet();
	}
}

u32 user_main(u32 pid);
u32 user_main(u32 pid)
{
	check_calls(pid);
	check_own_pages(pid);
	check_preemption(pid);
	check_shared(pid);
	check_unmapped();
	check_given(pid);
	for (u32 i = 0; i < PAGES; i++)
		check("an own page at the end", WORD(USER_HEAP + i * PAGE_SIZE), pid << 16 | i);
	return 40 + pid;
}
