/* System calls, by INT 80h and by SYSENTER. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/process.h"
#include "include/syscalls.h"

static void meet(void)
{
	current->meetings++;
	while (other_process()->alive && other_process()->meetings < current->meetings)
		schedule();
}

void syscall(struct regs *regs)
{
	u32 a = regs->ebx, b = regs->ecx, c = regs->edx;

	irq_enable();
	if (!processes_running)
		panic("a system call without a process");
	switch (regs->eax) {
	case SYS_EXIT:
		process_exit(a);
	case SYS_GETPID:
		regs->eax = current->pid;
		break;
	case SYS_CHECK:
		check(b == c, "process %u: %s: %x, should be %x", current->pid, (const char *)a, b, c);
		break;
	case SYS_PREEMPTIONS:
		regs->eax = current->preemptions;
		break;
	case SYS_UNMAP:
		user_unmap(a);
		break;
	default:
		irq_disable();
		switch (regs->eax) {
		case SYS_YIELD:
			schedule();
			break;
		case SYS_MEET:
			meet();
			break;
		case SYS_SET_TLS:
			current->tls_base = a;
			set_tls(current);
			break;
		case SYS_SHARE:
			user_share(a);
			break;
		case SYS_GIVE:
			user_give(a, b, c);
			break;
		case SYS_RENEW_TABLE:
			user_renew_table(a);
			break;
		default:
			regs->eax = -1u;
		}
	}
	irq_disable();
}
