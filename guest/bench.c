/*
 * What each call costs, natively and by the ROM: machine code with many calls in a row is made for
 * each, once with the ROM's routine, once with the native one (in place where Linux puts it in
 * place, else called), once with neither, which is taken off. Each piece of code has a page of its
 * own and runs for some time before it is measured: a host may translate it first.
 */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/layout.h"
#include "include/mm.h"
#include "include/trap.h"

#define ROW 16
#define BATCHES 7
#define ROWS_MAX 131072
#define BATCH_MS 2
#define WARM_MS 8
#define SPARE_VA 0x30000000
#define NO_STACK 0, { 0, 0 }

struct bench {
	u8 call;
	u32 eax, edx, ecx;
	u8 stack_count;
	u32 stack[2];
	/* Instructions that stand in place natively; NULL: the native routine is called. */
	const char *in_place;
};

enum what { EMPTY, NATIVE, ROM };

static u8 *at;
static u32 scratch[8] ALIGNED(16);
static struct table_register gdtr, idtr;

static void byte(u8 value)
{
	*at++ = value;
}

static void word(u8 opcode, u32 value)
{
	*at++ = opcode;
	memcpy(at, &value, 4);
	at += 4;
}

static void branch(u8 opcode, void *target)
{
	word(opcode, (u32)target - ((u32)at + 5));
}

/* An IRET within the kernel: flags, CS, and the address behind it. */
static void emit_iret(enum what what)
{
	u8 *address;

	byte(0x9C);
	byte(0x0E);
	address = at + 1;
	word(0x68, 0);
	if (what == EMPTY) {
		static const u8 drop[] = { 0x83, 0xC4, 12 };

		memcpy(at, drop, sizeof(drop));
		at += sizeof(drop);
		return;
	}
	if (what == NATIVE)
		byte(0xCF);
	else
		branch(vmi_binding[VMI_IRET].type == VMI_RELOC_JUMP ? 0xE9 : 0xE8, vmi_fn[VMI_IRET]);
	memcpy(address, &at, 4);
}

static void emit_call(const struct bench *b, enum what what)
{
	word(0xB8, b->eax);
	word(0xBA, b->edx);
	word(0xB9, b->ecx);
	word(0xBF, (u32)scratch);
	word(0xBE, (u32)scratch);
	for (int i = b->stack_count - 1; i >= 0; i--)
		word(0x68, b->stack[i]);
	if (what == NATIVE && b->in_place)
		for (const char *p = b->in_place; *p; p++)
			byte(*p);
	else if (what == NATIVE)
		branch(0xE8, vmi_native[b->call]);
	else if (what == ROM)
		branch(0xE8, vmi_fn[b->call]);
	if (b->stack_count) {
		byte(0x83);
		byte(0xC4);
		byte(4 * b->stack_count);
	}
}

/* void code(u32 rows): `rows` times ROW calls. */
static u32 emit(const struct bench *b, enum what what, u8 *code)
{
	static const u8 save[] = { 0x53, 0x56, 0x57, 0x55, 0x89, 0xC5 };
	static const u8 restore[] = { 0x5D, 0x5F, 0x5E, 0x5B, 0xC3 };
	u8 *top;
	u32 out[4];

	at = code;
	memcpy(at, save, sizeof(save)); /* ends with MOV EBP, EAX */
	at += sizeof(save);
	top = at;
	for (u32 i = 0; i < ROW; i++) {
		if (b->call == VMI_IRET)
			emit_iret(what);
		else
			emit_call(b, what);
	}
	byte(0x4D); /* DEC EBP; JNZ top */
	byte(0x0F);
	word(0x85, (u32)top - ((u32)at + 5));
	memcpy(at, restore, sizeof(restore));
	cpuid(0, 0, out);
	return (u32)code;
}

static u32 run(u32 code, u32 rows)
{
	u64 start = rdtsc();

	((void (*)(u32))code)(rows);
	return rdtsc() - start;
}

/* Tenths of a cycle per call, the middle one of all batches. */
static u32 median(const struct bench *b, enum what what)
{
	static u32 pages[VMI_CALLS][3];
	u32 *page = &pages[b->call][what];
	u32 times[BATCHES], rows = 1, code;
	u64 start;

	if (!*page)
		*page = frame_alloc();
	code = emit(b, what, frame_address(*page));
	start = rdtsc();
	for (;;) {
		u32 took = run(code, rows);

		if (took < tsc_khz * BATCH_MS / 2 && rows < ROWS_MAX)
			rows *= 2;
		else if (rdtsc() - start >= (u64)tsc_khz * WARM_MS)
			break;
	}
	for (u32 i = 0; i < BATCHES; i++) {
		u32 t = run(code, rows), k = i;

		for (; k > 0 && times[k - 1] > t; k--)
			times[k] = times[k - 1];
		times[k] = t;
	}
	return divide((u64)times[BATCHES / 2] * 10, rows * ROW, NULL);
}

static u32 difference(u32 whole, u32 empty)
{
	/* At least one tenth: 0 means not measured. */
	return whole > empty ? whole - empty : 1;
}

static void measure(const struct bench *b)
{
	u32 empty = median(b, EMPTY);

	results[b->call].native = difference(median(b, NATIVE), empty);
	if (vmi_supplied(b->call))
		results[b->call].vmi = difference(median(b, ROM), empty);
	else if (vmi_binding[b->call].type == VMI_RELOC_NOP)
		results[b->call].vmi = 1;
}

static void measure_plain(void)
{
	u32 cr0 = native_cr0(), cr3 = native_cr3(), cr4 = native_cr4();
	const struct bench list[] = {
		{ VMI_CPUID, 0, 0, 0, NO_STACK, 0 },
		{ VMI_SetGDT, (u32)&gdtr, 0, 0, NO_STACK, 0 },
		{ VMI_SetLDT, 0, 0, 0, NO_STACK, 0 },
		{ VMI_SetIDT, (u32)&idtr, 0, 0, NO_STACK, 0 },
		{ VMI_GetGDT, (u32)scratch, 0, 0, NO_STACK, 0 },
		{ VMI_GetLDT, 0, 0, 0, NO_STACK, 0 },
		{ VMI_GetIDT, (u32)scratch, 0, 0, NO_STACK, 0 },
		{ VMI_GetTR, 0, 0, 0, NO_STACK, 0 },
		{ VMI_WriteGDTEntry, (u32)gdt, SPARE_ENTRY, 0, 1, { 0, 0 }, 0 },
		{ VMI_WriteLDTEntry, (u32)ldt, 1, 0, 1, { 0, 0 }, 0 },
		{ VMI_WriteIDTEntry, (u32)idt, 0x90, idt[0x90][0], 1, { idt[0x90][1], 0 }, 0 },
		{ VMI_UpdateKernelStack, KERNEL_DS, tss.esp0, 0, NO_STACK, "" },
		{ VMI_SetCR0, cr0, 0, 0, NO_STACK, "\x0F\x22\xC0" },
		{ VMI_SetCR2, 0, 0, 0, NO_STACK, "\x0F\x22\xD0" },
		{ VMI_SetCR3, cr3, 0, 0, NO_STACK, "\x0F\x22\xD8" },
		{ VMI_SetCR4, cr4, 0, 0, NO_STACK, "\x0F\x22\xE0" },
		{ VMI_GetCR0, 0, 0, 0, NO_STACK, "\x0F\x20\xC0" },
		{ VMI_GetCR2, 0, 0, 0, NO_STACK, "\x0F\x20\xD0" },
		{ VMI_GetCR3, 0, 0, 0, NO_STACK, "\x0F\x20\xD8" },
		{ VMI_GetCR4, 0, 0, 0, NO_STACK, "\x0F\x20\xE0" },
		{ VMI_WBINVD, 0, 0, 0, NO_STACK, "\x0F\x09" },
		{ VMI_SetDR, 0, 0, 0, NO_STACK, 0 },
		{ VMI_GetDR, 0, 0, 0, NO_STACK, 0 },
		{ VMI_RDTSC, 0, 0, 0, NO_STACK, "\x0F\x31" },
		{ VMI_CLTS, 0, 0, 0, NO_STACK, "\x0F\x06" },
		{ VMI_EnableInterrupts, 0, 0, 0, NO_STACK, "\xFB" },
		{ VMI_DisableInterrupts, 0, 0, 0, NO_STACK, "\xFA" },
		{ VMI_GetInterruptMask, 0, 0, 0, NO_STACK, "\x9C\x58" },
		{ VMI_SetInterruptMask, 0x202, 0, 0, NO_STACK, "\x50\x9D" },
		{ VMI_IRET, 0, 0, 0, NO_STACK, 0 },
		{ VMI_MachineToPhysical, 0x100, 0, 0, NO_STACK, "" },
		{ VMI_PhysicalToMachine, 0x100, 0, 0, NO_STACK, "" },
		{ VMI_InvalPage, SPARE_VA, 0, 0, NO_STACK, "\x0F\x01\x38" },
		{ VMI_FlushTLB, VMI_FLUSH_TLB, 0, 0, NO_STACK, 0 },
		{ VMI_SetLinearMapping, 3, 0, 0, 1, { 0, 0 }, "" },
		{ VMI_INL, 0, 0xCFC, 0, NO_STACK, "\xED" },
		{ VMI_INB, 0, 0xA1, 0, NO_STACK, "\xEC" },
		{ VMI_INW, 0, 0xCFC, 0, NO_STACK, "\x66\xED" },
		{ VMI_INSL, 0, 0xCFC, 1, NO_STACK, "\xF3\x6D" },
		{ VMI_INSB, 0, 0xA1, 1, NO_STACK, "\xF3\x6C" },
		{ VMI_INSW, 0, 0xCFC, 1, NO_STACK, "\xF3\x66\x6D" },
		{ VMI_OUTL, 0x80000000, 0xCF8, 0, NO_STACK, "\xEF" },
		{ VMI_OUTB, inb(0xA1), 0xA1, 0, NO_STACK, "\xEE" },
		{ VMI_OUTW, 0x0F, 0x3D4, 0, NO_STACK, "\x66\xEF" },
		{ VMI_OUTSL, 0, 0xCF8, 1, NO_STACK, "\xF3\x6F" },
		{ VMI_OUTSB, 0, 0x80, 1, NO_STACK, "\xF3\x6E" },
		{ VMI_OUTSW, 0, 0x3D4, 1, NO_STACK, "\xF3\x66\x6F" },
		{ VMI_SetIOPLMask, 0, 0, 0, NO_STACK, 0 },
		{ VMI_IODelay, 0, 0, 0, NO_STACK, "\xE6\x80" },
		{ VMI_GetCycleFrequency, 0, 0, 0, NO_STACK, 0 },
		{ VMI_GetCycleCounter, 0, 0, 0, NO_STACK, "\x0F\x31" },
		{ VMI_SetAlarm, 0, 0xFFFFFFFF, 0x00FFFFFF, 2, { 0, 0 }, 0 },
		{ VMI_CancelAlarm, 0, 0, 0, NO_STACK, 0 },
		{ VMI_GetWallclockTime, 0, 0, 0, NO_STACK, 0 },
		{ VMI_WallclockUpdated, 0, 0, 0, NO_STACK, "" },
		{ VMI_SetLazyMode, 0, 0, 0, NO_STACK, "" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(list); i++) {
		irq_disable();
		measure(&list[i]);
		irq_enable();
	}
}

static void measure_conditional(void)
{
	void *entry;
	u32 pfn = frame_alloc_zeroed(), flags = VMI_PT | VMI_CURRENT_AS | SPARE_VA;
	u32 value = pfn * PAGE_SIZE | PTE_P | PTE_W;

	map_page(&kernel_space, SPARE_VA, value);
	entry = entry_of(&kernel_space, SPARE_VA);
	const struct bench entries[] = {
		{ VMI_SetPxE, value, (u32)entry, flags, NO_STACK, "\x89\x02" },
		{ VMI_SetPxELong, value, 0, (u32)entry, 1, { flags, 0 }, 0 },
		{ VMI_UpdatePxE, (u32)entry, flags, 0, NO_STACK, "" },
		{ VMI_UpdatePxELong, (u32)entry, flags, 0, NO_STACK, "" },
		{ VMI_AllocatePage, pfn, VMI_PT, 0, 2, { 0, 0 }, "" },
		{ VMI_ReleasePage, pfn, VMI_PT, 0, NO_STACK, "" },
	};
	const struct bench msrs[] = {
		{ VMI_WRMSR, KERNEL_CS, 0, MSR_SYSENTER_CS, NO_STACK, "\x0F\x30" },
		{ VMI_RDMSR, 0, 0, MSR_SYSENTER_CS, NO_STACK, "\x0F\x32" },
	};
	const struct bench apic[] = {
		{ VMI_APICWrite, 0x80, 0, 0, NO_STACK, 0 },
		{ VMI_APICRead, 0x20, 0, 0, NO_STACK, 0 },
	};

	irq_disable();
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++) {
		int wide = entries[i].call == VMI_SetPxELong || entries[i].call == VMI_UpdatePxELong;
		int narrow = entries[i].call == VMI_SetPxE || entries[i].call == VMI_UpdatePxE;

		if (pae ? !narrow : !wide)
			measure(&entries[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(msrs) && cpu.edx & CPUID_SEP; i++)
		measure(&msrs[i]);
	for (u32 i = 0; i < ARRAY_SIZE(apic) && apic_base; i++)
		measure(&apic[i]);
	set_entry(entry, 0, flags);
	hook_inval_page(SPARE_VA);
	frame_free(pfn);
	irq_enable();
}

void measure_calls(void)
{
	__asm__ __volatile__("sgdt %0" : "=m"(gdtr));
	__asm__ __volatile__("sidt %0" : "=m"(idtr));
	memset(scratch, 0, sizeof(scratch));
	measure_plain();
	measure_conditional();
	pit_silence();
	if (vmi_timer)
		hook_cancel_alarm(0);
}
