/*
 * Calling a routine with every register under control and seeing every register afterwards,
 * whatever happens: it returns, faults, or leaves for user mode (invocation.S, invoke.c).
 */
#ifndef GUEST_INVOKE_H
#define GUEST_INVOKE_H

#define INV_EAX 0
#define INV_ECX 4
#define INV_EDX 8
#define INV_EBX 12
#define INV_ESI 16
#define INV_EDI 20
#define INV_EBP 24
#define INV_FLAGS 28
#define INV_DS 32
#define INV_ES 36
#define INV_STACK_COUNT 40
#define INV_STACK 44
#define INV_ENTRY 52
#define INV_TARGET 56
#define INV_FRAME 60
#define INV_OUT 64
#define INV_OUT_FLAGS 92
#define INV_OUT_ESP 96
#define INV_OUT_DS 100
#define INV_OUT_ES 104
#define INV_OUT_FS 108
#define INV_OUT_GS 112
#define INV_OUT_SS 116
#define INV_OUT_CS 120
#define INV_OUT_IRQS 124
#define INV_ESP_BEFORE 128
#define INV_SAVED_ESP 132

#ifndef __ASSEMBLER__
#include "trap.h"
#include "types.h"

struct gprs {
	u32 eax, ecx, edx, ebx, esi, edi, ebp;
};

struct invocation {
	struct gprs in;
	u32 flags, ds, es;
	u32 stack_count, stack[2];
	void *entry, *target;
	u32 frame;
	struct gprs out;
	u32 out_flags, out_esp, out_ds, out_es, out_fs, out_gs, out_ss, out_cs, out_irqs;
	u32 esp_before, saved_esp;

	/* Set by the trap handler. */
	volatile int active;
	/* The trap that ended the call, or -1. */
	int vector;
	u32 error, cr2, trap_esp;
	struct regs trap;
};

extern struct invocation inv;

enum invoke_how { INVOKE_INDIRECT, INVOKE_DIRECT };

/* Registers that must be noticed when they change. */
void invoke_prepare(void);
void invoke_call(int call, enum invoke_how how);
void invoke_at(void *target);
/* The native routine, whatever the hook table says. */
void invoke_native(int call);
/* Leaves by the IRET or SYSEXIT site, with the stack pointer at `frame`. */
void invoke_iret(u32 frame);
void invoke_sysexit(void);
/* A trap while `inv.active`: does not return if it ends the call. */
void invoke_trap(struct regs *regs);

/* Where the call instruction is: a fault of the ROM's belongs there. */
u32 invoke_site(void);

extern char invoke_indirect[], invoke_direct[], invoke_iret_site[], invoke_sysexit_site[];
extern char invoke_iret_landed[];
#endif
#endif
