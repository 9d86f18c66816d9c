/*
 * Ways into the kernel and out of it. Every gate is an interrupt gate and ends in trap() with a
 * struct regs; SYSENTER builds the same frame. The ways out are the IRET and SYSEXIT patch sites,
 * and the enabling site of SYSENTER is one where no register may change.
 */
#include "include/layout.h"
#include "include/trap.h"
#include "include/vmi.h"

	.macro	patch_record call
	.pushsection .patchsites, "a"
	.long	661b
	.byte	\call, 662b - 661b
	.word	0
	.popsection
	.endm

	.macro	call_hook call
661:	call	*%cs:vmi_fn + 4 * \call
662:
	patch_record \call
	.endm

	.macro	jump_hook call
661:	jmp	*%cs:vmi_fn + 4 * \call
662:
	patch_record \call
	.endm

	.macro	save_all
	cld
	pushl	%gs
	pushl	%fs
	pushl	%es
	pushl	%ds
	pushl	%eax
	pushl	%ebp
	pushl	%edi
	pushl	%esi
	pushl	%edx
	pushl	%ecx
	pushl	%ebx
	movl	$USER_DS, %edx
	movl	%edx, %ds
	movl	%edx, %es
	movl	$PERCPU_SELECTOR, %edx
	movl	%edx, %fs
	movl	$CANARY_SELECTOR, %edx
	movl	%edx, %gs
	.endm

	.macro	restore_all
	popl	%ebx
	popl	%ecx
	popl	%edx
	popl	%esi
	popl	%edi
	popl	%ebp
	popl	%eax
	popl	%ds
	popl	%es
	popl	%fs
	popl	%gs
	.endm

	.text
	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	(vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
	.else
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.balign	16
trap_common:
	save_all
	movl	%esp, %eax
	call	trap
	.globl	return_from_trap
return_from_trap:
	restore_all
	addl	$8, %esp
	jump_hook CALL_IRET

/*
 * SYSENTER: EAX call, EBX ECX EDX arguments, EBP the user's stack, where the arguments ECX, EDX and
 * EBP are saved by the user's stub. The return address is fixed.
 */
	.balign	16
	.globl	sysenter_entry
sysenter_entry:
	movl	%cs:tss + 4, %esp
	pushl	$USER_DS
	pushl	%ebp
	pushfl
	orl	$0x200, (%esp)
	pushl	$USER_CS
	pushl	$sysenter_return
	call_hook CALL_ENABLE
	pushl	$0
	pushl	$SYSCALL_VECTOR
	save_all
	movl	%esp, %eax
	call	syscall
	call_hook CALL_DISABLE
	call	before_user
	restore_all
	movl	8(%esp), %edx
	movl	20(%esp), %ecx
	jump_hook CALL_SYSEXIT

/* void switch_stack(u32 *save, u32 esp) */
	.globl	switch_stack
switch_stack:
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushl	%ebp
	movl	%esp, (%eax)
	movl	%edx, %esp
	popl	%ebp
	popl	%edi
	popl	%esi
	popl	%ebx
	ret

/* int probe_read(u32 address, u32 *value), int probe_write(u32 address, u32 value) */
	.globl	probe_read, probe_write, probe_read_at, probe_write_at, probe_fault
probe_read:
probe_read_at:
	movl	(%eax), %eax
	movl	%eax, (%edx)
	orl	$-1, %eax
	ret
probe_write:
probe_write_at:
	movl	%edx, (%eax)
	orl	$-1, %eax
	ret
probe_fault:
	ret
