/* Rows whose instructions are to be the same whatever the compiler. */

	.text
	.balign 4096
/* u32 integer_loop(u32 n): n times eight instructions on registers. */
	.globl integer_loop
integer_loop:
	pushl	%ebx
	pushl	%esi
	movl	12(%esp), %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	movl	$0x9e3779b9, %ebx
	jecxz	2f
1:	addl	%ebx, %eax
	xorl	%eax, %edx
	rorl	$7, %edx
	leal	(%eax,%edx), %esi
	andl	%edx, %esi
	addl	%esi, %ebx
	decl	%ecx
	jnz	1b
2:	addl	%ebx, %eax
	popl	%esi
	popl	%ebx
	ret

/* u32 calls_within(u32 n): n times four calls within the page. */
	.globl calls_within
calls_within:
	movl	4(%esp), %ecx
	xorl	%eax, %eax
	jecxz	2f
1:	call	turn
	call	step
	call	turn
	call	step
	decl	%ecx
	jnz	1b
2:	ret
turn:
	roll	$5, %eax
	xorl	%ecx, %eax
	ret
step:
	addl	$0x1234567, %eax
	ret

/* u32 calls_across(u32 n): n times eight calls, each into a page of its own. */
	.balign 4096
	.globl calls_across
calls_across:
	movl	4(%esp), %ecx
	xorl	%eax, %eax
	jecxz	2f
1:
	.irp	page, 1, 2, 3, 4, 5, 6, 7, 8
	call	page_\page
	.endr
	decl	%ecx
	jnz	1b
2:	ret
	/* Not at the same offset in each: returns are looked up by address. */
	.irp	page, 1, 2, 3, 4, 5, 6, 7, 8
	.balign 4096
	.skip	\page * 48
page_\page:
	roll	$\page, %eax
	addl	$\page * 0x1111, %eax
	ret
	.endr
	.balign 4096

	.section .note.GNU-stack, "", @progbits
