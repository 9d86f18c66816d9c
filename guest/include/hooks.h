/*
 * The hook table as C calls it: each wrapper jumps through vmi_fn[], which holds the ROM's routine
 * or the native one. The operations of calls 29 to 32 are patch sites besides (patch.c).
 */
#ifndef GUEST_HOOKS_H
#define GUEST_HOOKS_H

#include "vmi.h"
#include "x86.h"

#define HOOK(type, call, ...) ((type(*)(__VA_ARGS__))vmi_fn[call])

#define PATCH_SITE(call, ...)                        \
	"661: call *%c[hook]\n662:\n"                \
	".pushsection .patchsites, \"a\"\n"          \
	".long 661b\n.byte " #call ", 662b - 661b\n" \
	".word 0\n.popsection\n"

static inline void irq_enable(void)
{
	__asm__ __volatile__(PATCH_SITE(29) : : [hook] "i"(&vmi_fn[29]) : "memory", "cc");
}

static inline void irq_disable(void)
{
	__asm__ __volatile__(PATCH_SITE(30) : : [hook] "i"(&vmi_fn[30]) : "memory", "cc");
}

static inline u32 irq_save(void)
{
	u32 mask;
	__asm__ __volatile__(PATCH_SITE(31)
			     : "=a"(mask)
			     : [hook] "i"(&vmi_fn[31])
			     : "memory", "cc");
	irq_disable();
	return mask;
}

static inline void irq_restore(u32 mask)
{
	__asm__ __volatile__(PATCH_SITE(32)
			     :
			     : "a"(mask), [hook] "i"(&vmi_fn[32])
			     : "memory", "cc");
}

#define hook_set_gdt(p) HOOK(void, VMI_SetGDT, struct table_register *)(p)
#define hook_set_idt(p) HOOK(void, VMI_SetIDT, struct table_register *)(p)
#define hook_set_ldt(s) HOOK(void, VMI_SetLDT, u32)(s)
#define hook_set_tr(s) HOOK(void, VMI_SetTR, u32)(s)
#define hook_write_gdt(t, i, lo, hi) HOOK(void, VMI_WriteGDTEntry, void *, u32, u32, u32)(t, i, lo, hi)
#define hook_write_ldt(t, i, lo, hi) HOOK(void, VMI_WriteLDTEntry, void *, u32, u32, u32)(t, i, lo, hi)
#define hook_write_idt(t, i, lo, hi) HOOK(void, VMI_WriteIDTEntry, void *, u32, u32, u32)(t, i, lo, hi)
#define hook_update_kernel_stack(ss, esp) HOOK(void, VMI_UpdateKernelStack, u32, u32)(ss, esp)
#define hook_set_cr0(v) HOOK(void, VMI_SetCR0, u32)(v)
#define hook_set_cr3(v) HOOK(void, VMI_SetCR3, u32)(v)
#define hook_set_cr4(v) HOOK(void, VMI_SetCR4, u32)(v)
#define hook_cr0() HOOK(u32, VMI_GetCR0, void)()
#define hook_cr2() HOOK(u32, VMI_GetCR2, void)()
#define hook_cr3() HOOK(u32, VMI_GetCR3, void)()
#define hook_cr4() HOOK(u32, VMI_GetCR4, void)()
#define hook_clts() HOOK(void, VMI_CLTS, void)()
#define hook_halt() HOOK(void, VMI_Halt, void)()
#define hook_set_pxe(v, p, f) HOOK(void, VMI_SetPxE, u32, void *, u32)(v, p, f)
#define hook_set_pxe_long(v, p, f) HOOK(void, VMI_SetPxELong, u32, u32, void *, u32)((u32)(v), (u32)((v) >> 32), p, f)
#define hook_update_pxe(p, f) HOOK(void, VMI_UpdatePxE, void *, u32)(p, f)
#define hook_update_pxe_long(p, f) HOOK(void, VMI_UpdatePxELong, void *, u32)(p, f)
#define hook_allocate_page(pfn, f, clone, base, count) \
	HOOK(void, VMI_AllocatePage, u32, u32, u32, u32, u32)(pfn, f, clone, base, count)
#define hook_release_page(pfn, f) HOOK(void, VMI_ReleasePage, u32, u32)(pfn, f)
#define hook_inval_page(va) HOOK(void, VMI_InvalPage, u32)(va)
#define hook_flush_tlb(f) HOOK(void, VMI_FlushTLB, u32)(f)
#define hook_set_linear_mapping(slot, va, pages, pfn) \
	HOOK(void, VMI_SetLinearMapping, u32, u32, u32, u32)(slot, va, pages, pfn)
#define hook_apic_write(r, v) HOOK(void, VMI_APICWrite, u32, u32)(r, v)
#define hook_apic_read(r) HOOK(u32, VMI_APICRead, u32)(r)
#define hook_io_delay() HOOK(void, VMI_IODelay, void)()
#define hook_cycle_frequency() HOOK(u64, VMI_GetCycleFrequency, void)()
#define hook_cycle_counter(c) HOOK(u64, VMI_GetCycleCounter, u32)(c)
#define hook_set_alarm(f, e, p) \
	HOOK(void, VMI_SetAlarm, u32, u32, u32, u32, u32)(f, (u32)(e), (u32)((u64)(e) >> 32), (u32)(p), (u32)((u64)(p) >> 32))
#define hook_cancel_alarm(f) HOOK(u32, VMI_CancelAlarm, u32)(f)
#define hook_wallclock() HOOK(u64, VMI_GetWallclockTime, void)()
#define hook_set_lazy_mode(m) HOOK(void, VMI_SetLazyMode, u32)(m)

#endif
