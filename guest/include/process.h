/* The two processes (process.c, syscall.c). */
#ifndef GUEST_PROCESS_H
#define GUEST_PROCESS_H

#include "mm.h"
#include "trap.h"

#define PROCESSES 2

struct process {
	struct address_space space;
	u32 pid;
	int alive;
	u32 exit_code;
	/* Saved while another one runs. */
	u32 esp;
	u32 tls_base;
	u32 meetings, preemptions, page_faults, copies;
	u8 fpu[512] ALIGNED(16);
	u8 stack[KERNEL_STACK_SIZE] ALIGNED(16);
};

extern struct process processes[PROCESSES];
extern struct process *current;

struct process *other_process(void);
/* Interrupts are off. */
void schedule(void);
void process_exit(u32 code) NORETURN;
void set_tls(struct process *p);

/* user_memory.c */
void user_memory_free(struct process *p);
void user_unmap(u32 va);
void user_share(u32 va);
void user_give(u32 va, u32 word, int by_update);
void user_renew_table(u32 va);

#endif
