/*
 * The assembly half of invoke.h. Everything in `inv` is reached through CS or SS: the data segments
 * may be null while a call of class I is tried.
 */
#include "include/invoke.h"
#include "include/layout.h"
#include "include/vmi.h"

	.text
	.globl	invoke_run
invoke_run:
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushl	%ebp
	pushfl
	movl	%esp, inv + INV_SAVED_ESP
	movl	inv + INV_STACK_COUNT, %ecx
	cmpl	$1, %ecx
	jb	2f
	je	1f
	pushl	inv + INV_STACK + 4
1:	pushl	inv + INV_STACK
2:	movl	%esp, inv + INV_ESP_BEFORE
	pushl	inv + INV_FLAGS
	popfl
	movl	inv + INV_ES, %eax
	movl	%eax, %es
	movl	inv + INV_DS, %eax
	movl	%eax, %ds
	movl	%ss:inv + INV_EAX, %eax
	movl	%ss:inv + INV_ECX, %ecx
	movl	%ss:inv + INV_EDX, %edx
	movl	%ss:inv + INV_EBX, %ebx
	movl	%ss:inv + INV_ESI, %esi
	movl	%ss:inv + INV_EDI, %edi
	movl	%ss:inv + INV_EBP, %ebp
	jmp	*%ss:inv + INV_ENTRY

	.globl	invoke_indirect, invoke_direct
/* As through paravirt_ops' pointers; DS is a valid one in calls made this way. */
invoke_indirect:
	call	*inv + INV_TARGET
	jmp	invoke_after
/* A patched site as the kernel has them: invoke.c writes the distance. */
	.balign	16
invoke_direct:
	.byte	0xE8
	.long	0

invoke_after:
	movl	%eax, %ss:inv + INV_OUT
	movl	%ss:irq_count, %eax
	movl	%eax, %ss:inv + INV_OUT_IRQS
	movl	%ecx, %ss:inv + INV_OUT + INV_ECX
	movl	%edx, %ss:inv + INV_OUT + INV_EDX
	movl	%ebx, %ss:inv + INV_OUT + INV_EBX
	movl	%esi, %ss:inv + INV_OUT + INV_ESI
	movl	%edi, %ss:inv + INV_OUT + INV_EDI
	movl	%ebp, %ss:inv + INV_OUT + INV_EBP
	movl	%esp, %ss:inv + INV_OUT_ESP
	movl	%ds, %eax
	movl	%eax, %ss:inv + INV_OUT_DS
	movl	%es, %eax
	movl	%eax, %ss:inv + INV_OUT_ES
	movl	%fs, %eax
	movl	%eax, %ss:inv + INV_OUT_FS
	movl	%gs, %eax
	movl	%eax, %ss:inv + INV_OUT_GS
	movl	%ss, %eax
	movl	%eax, %ss:inv + INV_OUT_SS
	movl	%cs, %eax
	movl	%eax, %ss:inv + INV_OUT_CS
	movl	%ss:inv + INV_SAVED_ESP, %esp
	pushfl
	popl	%ss:inv + INV_OUT_FLAGS

/* The trap handler comes here, too, on whatever stack. */
	.globl	invoke_abort
invoke_abort:
	movl	%cs:inv + INV_SAVED_ESP, %esp
	movl	$USER_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	$PERCPU_SELECTOR, %eax
	movl	%eax, %fs
	movl	$CANARY_SELECTOR, %eax
	movl	%eax, %gs
	popfl
	popl	%ebp
	popl	%edi
	popl	%esi
	popl	%ebx
	ret

/* Ways out as the kernel's own, on the stack of inv.frame. */
	.globl	invoke_leave_iret, invoke_leave_sysexit
	.globl	invoke_iret_site, invoke_sysexit_site, invoke_iret_landed
invoke_leave_iret:
	movl	%ss:inv + INV_FRAME, %esp
invoke_iret_site:
661:	jmp	*%cs:vmi_fn + 4 * CALL_IRET
662:
	.pushsection .patchsites, "a"
	.long	661b
	.byte	CALL_IRET, 662b - 661b
	.word	0
	.popsection
invoke_iret_landed:
	jmp	invoke_after

invoke_leave_sysexit:
invoke_sysexit_site:
661:	jmp	*%cs:vmi_fn + 4 * CALL_SYSEXIT
662:
	.pushsection .patchsites, "a"
	.long	661b
	.byte	CALL_SYSEXIT, 662b - 661b
	.word	0
	.popsection

/* Code for user mode, copied to where it can be reached from there; each piece ends in a trap. */
	.section .rodata
	.globl	user_snippet, user_snippet_end, user_snippet_cli, user_snippet_step, user_snippet_v86
user_snippet:
	int	$TEST_VECTOR
user_snippet_cli:
	cli
	int	$TEST_VECTOR
user_snippet_step:
	nop
	nop
	int	$TEST_VECTOR
user_snippet_v86:
	hlt
user_snippet_end:
