/*
 * Two processes on one processor: preempted by the timer, switched as Linux switches, with CR3, the
 * kernel's stack, the TLS descriptor and CR0.TS changed in lazy CPU mode.
 */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/process.h"

#define TICK_HZ 200
#define TICKS_MAX (60 * TICK_HZ)
#define TLS_HIGH 0x0040F200

struct process processes[PROCESSES];
struct process *current;
volatile int processes_running;

static volatile int need_resched;
static u32 main_esp, ticks;
static struct process *fpu_owner;
extern u8 trap_stack_end[];
extern char user_start[];

void switch_stack(u32 *save, u32 esp);

struct process *other_process(void)
{
	return &processes[current == &processes[0]];
}

void timer_tick(struct regs *regs)
{
	if (!processes_running)
		return;
	if (++ticks > TICKS_MAX)
		panic("the processes do not end");
	if (from_user(regs)) {
		need_resched = 1;
		current->preemptions++;
	}
}

void before_user(void)
{
	if (!processes_running || !need_resched)
		return;
	need_resched = 0;
	schedule();
}

void set_tls(struct process *p)
{
	u32 base = p->tls_base, low = base << 16 | 0x0FFF;
	u32 high = (base & 0xFF000000) | (base >> 16 & 0xFF) | TLS_HIGH;

	/* Linux writes the slots that differ. */
	if (gdt[TLS_ENTRY][0] != low || gdt[TLS_ENTRY][1] != high)
		hook_write_gdt(gdt, TLS_ENTRY, low, high);
}

static void switch_to(struct process *next)
{
	u32 *save = current ? &current->esp : &main_esp;

	hook_set_lazy_mode(VMI_LAZY_CPU);
	space_switch(next ? &next->space : &kernel_space);
	set_kernel_stack(next ? (u32)(next->stack + KERNEL_STACK_SIZE) : (u32)trap_stack_end);
	if (next) {
		set_tls(next);
		if (fpu_owner == next)
			hook_clts();
		else
			hook_set_cr0(hook_cr0() | CR0_TS);
	}
	hook_set_lazy_mode(VMI_LAZY_NONE);
	current = next;
	switch_stack(save, next ? next->esp : main_esp);
}

void schedule(void)
{
	struct process *next = other_process();

	if (next->alive)
		switch_to(next);
	else if (!current->alive)
		switch_to(NULL);
}

void process_exit(u32 code)
{
	irq_disable();
	current->alive = 0;
	current->exit_code = code;
	if (fpu_owner == current)
		fpu_owner = NULL;
	schedule();
	panic("an ended process runs");
}

static void fpu_save(u8 *to)
{
	if (cpu.edx & CPUID_FXSR)
		__asm__ __volatile__("fxsave (%0)" : : "r"(to) : "memory");
	else
		__asm__ __volatile__("fnsave (%0)" : : "r"(to) : "memory");
}

static void fpu_load(u8 *from)
{
	if (cpu.edx & CPUID_FXSR)
		__asm__ __volatile__("fxrstor (%0)" : : "r"(from) : "memory");
	else
		__asm__ __volatile__("frstor (%0)" : : "r"(from) : "memory");
}

int user_device_not_available(void)
{
	if (!processes_running)
		return 0;
	hook_clts();
	if (fpu_owner)
		fpu_save(fpu_owner->fpu);
	fpu_load(current->fpu);
	fpu_owner = current;
	return 1;
}

void user_exception(struct regs *regs)
{
	check(0, "process %u: vector %u error %x at %08x, CR2 %08x", current->pid, regs->vector,
	      regs->error, regs->eip, native_cr2());
	process_exit(255);
}

/* A stack as if the process had just trapped at its first instruction. */
static void create(struct process *p, u32 pid)
{
	struct regs *regs;
	u32 *stack;

	memset(p, 0, sizeof(*p));
	space_create(&p->space);
	p->pid = pid;
	p->alive = 1;
	regs = (struct regs *)(p->stack + KERNEL_STACK_SIZE - __builtin_offsetof(struct regs, v86_es));
	regs->eax = pid;
	regs->ds = regs->es = USER_DS;
	regs->eip = (u32)user_start;
	regs->cs = USER_CS;
	regs->eflags = FLAG_IF | 2;
	regs->esp = USER_STACK_TOP - 64;
	regs->ss = USER_DS;
	stack = (u32 *)regs;
	*--stack = (u32)return_from_trap;
	stack -= 4;
	p->esp = (u32)stack;
	hook_clts();
	__asm__ __volatile__("fninit");
	fpu_save(p->fpu);
}

static void round(u32 number)
{
	u32 before = frames_in_use(), switches;

	irq_disable();
	for (u32 i = 0; i < PROCESSES; i++)
		create(&processes[i], 2 * number + i + 1);
	hook_set_cr0(hook_cr0() | CR0_TS);
	ticks = 0;
	processes_running = 1;
	tick_start(TICK_HZ);
	switch_to(&processes[0]);
	processes_running = 0;
	tick_stop();
	hook_clts();
	fpu_owner = NULL;
	for (u32 i = 0; i < PROCESSES; i++) {
		struct process *p = &processes[i];

		check(p->exit_code == 40 + p->pid, "process %u ended with %u", p->pid, p->exit_code);
		check(p->preemptions > 0, "process %u was never preempted", p->pid);
		user_memory_free(p);
		space_destroy(&p->space);
	}
	switches = processes[0].preemptions + processes[1].preemptions;
	check(frames_in_use() == before, "%d frames lost", (int)(frames_in_use() - before));
	irq_enable();
	print("processes: round %u, %u ticks by %s, %u preemptions, %u page faults, %u copies on write\n",
	      number + 1, ticks, tick_by_apic ? "the local APIC" : "IRQ 0", switches,
	      processes[0].page_faults + processes[1].page_faults,
	      processes[0].copies + processes[1].copies);
}

void check_processes(void)
{
	check_group(GROUP_PROCESSES);
	round(0);
	if (vmi_timer && apic_base)
		tick_by_apic = 1;
	round(1);
	tick_by_apic = 0;
}
