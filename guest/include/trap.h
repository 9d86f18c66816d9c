/* What an exception, interrupt or system call leaves on the kernel's stack (entry.S). */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#define REGS_EBP 20
#define REGS_EIP 52

#ifndef __ASSEMBLER__
#include "types.h"

struct regs {
	u32 ebx, ecx, edx, esi, edi, ebp, eax;
	u32 ds, es, fs, gs;
	u32 vector, error;
	u32 eip, cs, eflags;
	/* Only when the trap came from another privilege level. */
	u32 esp, ss;
	/* Only from virtual-8086 mode. */
	u32 v86_es, v86_ds, v86_fs, v86_gs;
};

static inline int from_user(const struct regs *regs)
{
	return (regs->cs & 3) == 3 || (regs->eflags & 0x20000);
}

extern struct tss tss;
extern u32 gdt[][2], idt[][2], ldt[][2];

void cpu_early_init(void);
void cpu_init(void);
void set_kernel_stack(u32 esp0);
void load_standard_segments(void);
u32 code_descriptor_high(u32 dpl, int present);

/* Reads or writes a dword that may not be mapped: the vector of the fault, or -1. */
int probe_read(u32 address, u32 *value);
int probe_write(u32 address, u32 value);
/* Asked at page faults while it is set: whether the access can now be tried again. */
extern int (*demand_map)(u32 address);

/* irq.c */
extern volatile u32 irq_count[16], lvtt_count;
extern u32 irq0_cs, irq0_eip;
void irq_init(void);
void handle_irq(struct regs *regs);
void irq_unmask(int irq);
void irq_mask(int irq);
/* The 8259 has a request of the line that was not acknowledged. */
int irq_pending(int irq);

/* process.c */
extern volatile int processes_running;
void timer_tick(struct regs *regs);
int user_page_fault(struct regs *regs, u32 address);
int user_device_not_available(void);
void user_exception(struct regs *regs);
void syscall(struct regs *regs);
void before_user(void);

extern char sysenter_entry[], return_from_trap[], sysenter_return_kernel[];
#endif
#endif
