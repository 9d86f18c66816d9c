/*
 * The native instruction sequences that the calls replace, each with its call's convention, so that
 * the hook table can hold either. GetCycleFrequency, alarms and wall clock have no native routine:
 * time.c does those with the PIT, the TSC and the RTC.
 */
	.macro	native name
	.balign	8
	.globl	native_\name
native_\name:
	.endm

	.text
native CPUID
	cpuid
	ret
native WRMSR
	wrmsr
	ret
native RDMSR
	rdmsr
	ret
native SetGDT
	lgdt	(%eax)
	ret
native SetLDT
	lldt	%ax
	ret
native SetIDT
	lidt	(%eax)
	ret
native SetTR
	ltr	%ax
	ret
native GetGDT
	sgdt	(%eax)
	ret
native GetLDT
	xorl	%eax, %eax
	sldt	%ax
	ret
native GetIDT
	sidt	(%eax)
	ret
native GetTR
	xorl	%eax, %eax
	str	%ax
	ret
native WriteEntry
	leal	(%eax,%edx,8), %eax
	movl	4(%esp), %edx
	movl	%ecx, (%eax)
	movl	%edx, 4(%eax)
	ret
native SetCR0
	movl	%eax, %cr0
	ret
native SetCR2
	movl	%eax, %cr2
	ret
native SetCR3
	movl	%eax, %cr3
	ret
native SetCR4
	movl	%eax, %cr4
	ret
native GetCR0
	movl	%cr0, %eax
	ret
native GetCR2
	movl	%cr2, %eax
	ret
native GetCR3
	movl	%cr3, %eax
	ret
native GetCR4
	movl	%cr4, %eax
	ret
native WBINVD
	wbinvd
	ret
native SetDR
	cmpl	$7, %eax
	ja	2f
	jmp	*1f(,%eax,4)
1:	.long	3f, 4f, 5f, 6f, 2f, 2f, 7f, 8f
3:	movl	%edx, %dr0
	ret
4:	movl	%edx, %dr1
	ret
5:	movl	%edx, %dr2
	ret
6:	movl	%edx, %dr3
	ret
7:	movl	%edx, %dr6
	ret
8:	movl	%edx, %dr7
2:	ret
native GetDR
	cmpl	$7, %eax
	ja	2f
	jmp	*1f(,%eax,4)
1:	.long	3f, 4f, 5f, 6f, 2f, 2f, 7f, 8f
2:	xorl	%eax, %eax
	ret
3:	movl	%dr0, %eax
	ret
4:	movl	%dr1, %eax
	ret
5:	movl	%dr2, %eax
	ret
6:	movl	%dr3, %eax
	ret
7:	movl	%dr6, %eax
	ret
8:	movl	%dr7, %eax
	ret
native RDPMC
	rdpmc
	ret
native RDTSC
	rdtsc
	ret
native CLTS
	clts
	ret
native EnableInterrupts
	sti
	ret
native DisableInterrupts
	cli
	ret
native GetInterruptMask
	pushfl
	popl	%eax
	andl	$0x200, %eax
	ret
native SetInterruptMask
	testl	$0x200, %eax
	jz	1f
	sti
	ret
1:	cli
	ret
native IRET
	iret
native SYSEXIT
	sti
	sysexit
native Halt
	sti
	hlt
	ret
native SetPxE
	movl	%eax, (%edx)
	ret
native SetPxELong
	movl	$0, (%ecx)
	movl	%edx, 4(%ecx)
	movl	%eax, (%ecx)
	ret
native nothing
	ret
native InvalPage
	invlpg	(%eax)
	ret
native FlushTLB
	testb	$2, %al
	jz	1f
	movl	%cr4, %edx
	testb	$0x80, %dl
	jz	1f
	movl	%edx, %eax
	andb	$0x7f, %al
	movl	%eax, %cr4
	movl	%edx, %cr4
	ret
1:	movl	%cr3, %eax
	movl	%eax, %cr3
	ret
native INL
	inl	%dx, %eax
	ret
native INB
	inb	%dx, %al
	ret
native INW
	inw	%dx, %ax
	ret
native INSL
	rep insl
	ret
native INSB
	rep insb
	ret
native INSW
	rep insw
	ret
native OUTL
	outl	%eax, %dx
	ret
native OUTB
	outb	%al, %dx
	ret
native OUTW
	outw	%ax, %dx
	ret
native OUTSL
	rep outsl
	ret
native OUTSB
	rep outsb
	ret
native OUTSW
	rep outsw
	ret
native SetIOPLMask
	pushfl
	andl	$~0x3000, (%esp)
	orl	%eax, (%esp)
	popfl
	ret
native APICWrite
	andl	$0xff0, %eax
	addl	apic_base, %eax
	movl	%edx, (%eax)
	ret
native APICRead
	andl	$0xff0, %eax
	addl	apic_base, %eax
	movl	(%eax), %eax
	ret
native IODelay
	outb	%al, $0x80
	ret
native GetCycleCounter
	testl	$~1, %eax
	jnz	1f
	rdtsc
	ret
1:	xorl	%eax, %eax
	xorl	%edx, %edx
	ret

	.section .rodata
	.balign	4
	.globl	vmi_native
vmi_native:
	.long	native_CPUID, native_WRMSR, native_RDMSR, native_SetGDT
	.long	native_SetLDT, native_SetIDT, native_SetTR, native_GetGDT
	.long	native_GetLDT, native_GetIDT, native_GetTR, native_WriteEntry
	.long	native_WriteEntry, native_WriteEntry, native_nothing, native_SetCR0
	.long	native_SetCR2, native_SetCR3, native_SetCR4, native_GetCR0
	.long	native_GetCR2, native_GetCR3, native_GetCR4, native_WBINVD
	.long	native_SetDR, native_GetDR, native_RDPMC, native_RDTSC
	.long	native_CLTS, native_EnableInterrupts, native_DisableInterrupts
	.long	native_GetInterruptMask, native_SetInterruptMask, native_IRET
	.long	native_SYSEXIT, native_Halt, native_reboot, native_shutdown
	.long	native_SetPxE, native_SetPxELong, native_nothing, native_nothing
	.long	native_nothing, native_nothing, native_nothing, native_nothing
	.long	native_InvalPage, native_FlushTLB, native_nothing, native_INL
	.long	native_INB, native_INW, native_INSL, native_INSB
	.long	native_INSW, native_OUTL, native_OUTB, native_OUTW
	.long	native_OUTSL, native_OUTSB, native_OUTSW, native_SetIOPLMask
	.long	native_nothing, native_APICWrite, native_APICRead, native_IODelay
	.long	native_cycle_frequency, native_GetCycleCounter, native_set_alarm
	.long	native_cancel_alarm, native_wallclock, native_wallclock_updated
	.long	native_nothing, native_nothing
