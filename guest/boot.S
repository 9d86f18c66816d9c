/*
 * From the multiboot loader to C: paging with the first 32 MiB mapped at 0 and at PAGE_OFFSET by
 * large pages, a stack, and the loader's two registers as arguments.
 */
#include "include/layout.h"
#include "include/x86.h"

#define PHYS(symbol) ((symbol) - PAGE_OFFSET)

	.section .multiboot, "a"
	.balign 4
	.long 0x1BADB002
	.long 0x00000003		/* modules on pages, memory information */
	.long -(0x1BADB002 + 0x00000003)

	.text
	.globl start
start:
	cli
	cld
	movl	$PHYS(boot_directory), %edi
	movl	$(PTE_P | PTE_W | PTE_PS), %ecx
1:	movl	%ecx, (%edi)
	movl	%ecx, (PAGE_OFFSET >> 20)(%edi)
	addl	$4, %edi
	addl	$0x400000, %ecx
	cmpl	$LOWMEM_MAX, %ecx
	jb	1b
	movl	%cr4, %ecx
	orl	$CR4_PSE, %ecx
	movl	%ecx, %cr4
	movl	$PHYS(boot_directory), %ecx
	movl	%ecx, %cr3
	movl	%cr0, %ecx
	orl	$(CR0_PG | CR0_WP | CR0_NE | CR0_MP), %ecx
	movl	%ecx, %cr0
	movl	$2f, %ecx
	jmp	*%ecx
2:	movl	$boot_stack_end, %esp
	pushl	$2
	popfl
	movl	%ebx, %edx
	call	start_kernel
3:	hlt
	jmp	3b

/*
 * void enable_pae(u32 directory_physical): changes the paging format, which can only be done with
 * paging off, so from the copy of this code at its physical address.
 */
	.globl enable_pae
enable_pae:
	movl	$PHYS(1f), %ecx
	jmp	*%ecx
1:	movl	%cr0, %ecx
	andl	$~CR0_PG, %ecx
	movl	%ecx, %cr0
	movl	%cr4, %edx
	orl	$CR4_PAE, %edx
	movl	%edx, %cr4
	movl	%eax, %cr3
	orl	$CR0_PG, %ecx
	movl	%ecx, %cr0
	ret

	.bss
	.balign 4096
boot_directory:
	.skip	4096
	.globl boot_stack, boot_stack_end
boot_stack:
	.skip	2 * KERNEL_STACK_SIZE
boot_stack_end:
