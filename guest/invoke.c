/* The C half of invoke.h. */
#include "include/guest.h"
#include "include/invoke.h"
#include "include/layout.h"
#include "include/vmi.h"
#include "include/hooks.h"

struct invocation inv;

_Static_assert(__builtin_offsetof(struct invocation, flags) == INV_FLAGS, "flags");
_Static_assert(__builtin_offsetof(struct invocation, stack) == INV_STACK, "stack");
_Static_assert(__builtin_offsetof(struct invocation, frame) == INV_FRAME, "frame");
_Static_assert(__builtin_offsetof(struct invocation, out) == INV_OUT, "out");
_Static_assert(__builtin_offsetof(struct invocation, out_flags) == INV_OUT_FLAGS, "out_flags");
_Static_assert(__builtin_offsetof(struct invocation, out_irqs) == INV_OUT_IRQS, "out_irqs");
_Static_assert(__builtin_offsetof(struct invocation, saved_esp) == INV_SAVED_ESP, "saved_esp");

void invoke_run(void);
void invoke_abort(void) NORETURN;
extern char invoke_leave_iret[], invoke_leave_sysexit[];

void invoke_prepare(void)
{
	inv.in = (struct gprs){ 0x11A11A11, 0x22C22C22, 0x33D33D33, 0x44B44B44,
				0x55555E51, 0x66666ED1, 0x77777EB7 };
	inv.flags = 2;
	inv.ds = inv.es = USER_DS;
	inv.stack_count = 0;
	inv.stack[0] = inv.stack[1] = 0;
}

static void run(void *entry)
{
	inv.entry = entry;
	inv.vector = -1;
	inv.active = 1;
	barrier();
	invoke_run();
	barrier();
	inv.active = 0;
}

void invoke_call(int call, enum invoke_how how)
{
	inv.target = vmi_fn[call];
	if (how == INVOKE_DIRECT) {
		patch_call(invoke_direct, vmi_fn[call]);
		run(invoke_direct);
	} else {
		run(invoke_indirect);
	}
}

void invoke_at(void *target)
{
	inv.target = target;
	run(invoke_indirect);
}

void invoke_native(int call)
{
	invoke_at(vmi_native[call]);
}

void invoke_iret(u32 frame)
{
	inv.frame = frame;
	run(invoke_leave_iret);
}

void invoke_sysexit(void)
{
	run(invoke_leave_sysexit);
}

u32 invoke_site(void)
{
	return inv.entry == invoke_leave_iret ? (u32)invoke_iret_site : (u32)inv.entry;
}

void invoke_trap(struct regs *regs)
{
	if (regs->vector >= 32 && regs->vector != TEST_VECTOR)
		return;
	inv.active = 0;
	inv.vector = regs->vector;
	inv.error = regs->error;
	if (regs->vector == TRAP_PF)
		inv.cr2 = native_cr2();
	inv.trap = *regs;
	inv.trap_esp = from_user(regs) ? regs->esp : (u32)&regs->esp;
	invoke_abort();
}
