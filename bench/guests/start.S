/* From the multiboot loader to C, and every way into privilege 0 that a row uses. */
#include "machine.h"

	.section .multiboot, "a"
	.balign 4
	.long	0x1badb002, 0, -0x1badb002

	.text
	.globl start
start:
	cli
	cld
	movl	$stack_end, %esp
	lgdt	gdt_register
	ljmp	$KERNEL_CS, $1f
1:	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	call	machine_main
2:	hlt
	jmp	2b

/* u32 run_user(u32 n, u32 (*row)(u32)): the row at privilege 3, on a stack of its own. */
	.globl run_user
run_user:
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushl	%ebp
	movl	%esp, kernel_esp
	movl	%esp, task + 4
	movl	20(%esp), %eax
	movl	24(%esp), %edx
	movl	$user_stack_end - 16, %ecx
	movl	%eax, (%ecx)		/* the row's argument */
	movl	$USER_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	pushl	%eax
	pushl	%ecx
	pushl	$2
	pushl	$USER_CS
	pushl	$1f
	iret
1:	call	*%edx
	int	$VECTOR_DONE
done:
	movl	kernel_esp, %esp
	movl	$KERNEL_DS, %edx
	movl	%edx, %ds
	movl	%edx, %es
	popl	%ebp
	popl	%edi
	popl	%esi
	popl	%ebx
	ret

/* int VECTOR_CALL: EAX one more. */
call_entry:
	incl	%eax
	iret

/* SYSENTER: the same; ECX and EDX are where to go back to. */
	.globl sysenter_entry
sysenter_entry:
	incl	%eax
	sysexit

	.globl sysenter_loop
/* u32 sysenter_loop(u32 n), at privilege 3. */
sysenter_loop:
	pushl	%ebx
	movl	8(%esp), %ebx
	xorl	%eax, %eax
	testl	%ebx, %ebx
	jz	3f
1:	movl	%esp, %ecx
	movl	$2f, %edx
	sysenter
2:	decl	%ebx
	jnz	1b
3:	popl	%ebx
	ret

/* #PF on a page that is not there: it is from now on; any other fault is the guest's own error. */
page_fault:
	pushl	%eax
	movl	%cr2, %eax
	subl	$FAULT_BASE, %eax
	cmpl	$FAULT_PAGES << 12, %eax
	jae	1f
	shrl	$12, %eax
	pushl	%ecx
	movl	fault_entry(,%eax,4), %ecx
	movl	%ecx, page_tables + (FAULT_BASE >> 10)(,%eax,4)
	popl	%ecx
	popl	%eax
	addl	$4, %esp
	iret
1:	popl	%eax
	jmp	wrong

/* int VECTOR_UNMAP: the pages of the row are gone again. */
unmap_entry:
	pushl	%eax
	pushl	%ecx
	xorl	%ecx, %ecx
1:	movl	$0, page_tables + (FAULT_BASE >> 10)(,%ecx,4)
	incl	%ecx
	cmpl	$FAULT_PAGES, %ecx
	jb	1b
	movl	%cr3, %eax
	movl	%eax, %cr3
	popl	%ecx
	popl	%eax
	iret

/* A byte has come, which the loop around HLT finds. */
interrupt_entry:
	pushl	%eax
	movb	$0x20, %al
	outb	%al, $0xa0
	outb	%al, $0x20
	popl	%eax
	iret

wrong:
	call	machine_wrong

	.section .rodata
	.globl handlers
/* By HANDLE_*. */
handlers:
	.long	wrong, page_fault, interrupt_entry, call_entry, done, unmap_entry

	.data
	.balign 8
	.globl gdt
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00cffb000000ffff
	.quad	0x00cff3000000ffff
	.quad	0			/* TASK, set by machine.c */
gdt_register:
	.word	6 * 8 - 1
	.long	gdt

	.bss
	.balign 16
stack:
	.skip	STACK_SIZE
	.globl	stack_end
stack_end:
	.skip	STACK_SIZE
user_stack_end:
kernel_esp:
	.skip	4

	.section .note.GNU-stack, "", @progbits
