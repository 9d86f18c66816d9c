/* What the checks of single calls share: making a call both ways, judging what it left. */
#ifndef GUEST_TRY_H
#define GUEST_TRY_H

#include "guest.h"
#include "hooks.h"
#include "invoke.h"
#include "layout.h"
#include "vmi.h"
#include "x86.h"

/* Registers in which a call gives results. */
#define RESULT_NONE 0
#define RESULT_EAX 1
#define RESULT_EDX 2
#define RESULT_EBX 4
#define RESULT_ECX 8
#define RESULT_EDI 16
#define RESULT_ESI 32

#define EACH_WAY(how) for (enum invoke_how how = INVOKE_INDIRECT; how <= INVOKE_DIRECT; how++)

const char *way_name(enum invoke_how how);
const char *trap_name(int vector);

/* Makes the call; checks that it returned and kept what its convention says. */
int try_call(int call, enum invoke_how how, u32 results);
/* The same with registers EAX, EDX, ECX given; the rest as invoke_prepare() sets them. */
int try_regs(int call, enum invoke_how how, u32 results, u32 eax, u32 edx, u32 ecx);
/* The bits of EFLAGS that try_call() does not watch; back to none after each call. */
void allow_flags(u32 flags);

/* A fault that ended the call is where it belongs: at the call, with the stack as before it. */
void judge_fault(int call, enum invoke_how how);

/* Makes IRQ 0 pending at the 8259 with interrupts off; 0 if that fails. */
int make_irq0_pending(void);
/* Takes what is pending. */
void drain_irqs(void);

/* A page that user mode may execute and write, with the pieces of code of invocation.S in it. */
#define USER_PAGE 0x00400000
#define V86_PAGE 0x00010000
u32 user_code(const char *snippet);
void user_page_map(void);

extern const char user_snippet[], user_snippet_end[], user_snippet_cli[], user_snippet_step[],
	user_snippet_v86[];

#endif
