/* The bare machine: COM1, paging with pages of 4 KiB, gates, and the rows that need them. */
#include "machine.h"
#include "rows.h"

#define COM1 0x3f8
#define LSR_DATA 1
#define LSR_EMPTY 0x20
#define PAGE_ALL 7 /* present, writable, for everyone */
#define CR0_MP 0x00000002
#define CR0_EM 0x00000004
#define CR0_TS 0x00000008
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define MSR_SYSENTER_CS 0x174

extern u32 run_user(u32 n, u32 (*row)(u32));
extern u32 sysenter_loop(u32 n);
extern const u32 handlers[6];
extern u32 gdt[];
extern char sysenter_entry[], stack_end[];

static u32 directory[1024] __attribute__((aligned(4096)));
u32 page_tables[MAPPED_MB * 256] __attribute__((aligned(4096)));
/* What the page fault handler enters. */
u32 fault_entry[FAULT_PAGES];
static u32 idt[VECTORS * 2];
/* The 32-bit task state segment: link, ESP0, SS0, ... (SDM vol. 3A 7.2.1) */
u32 task[26];

static inline void out(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 in(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Sleeps until a byte has come, so that waiting is not counted as work. */
int get(void)
{
	while (!(in(COM1 + 5) & LSR_DATA))
		asm volatile("sti; hlt; cli" : : : "memory");
	return in(COM1);
}

void put(const char *text)
{
	for (; *text; text++) {
		while (!(in(COM1 + 5) & LSR_EMPTY))
			;
		out(COM1, *text);
	}
}

void machine_wrong(void)
{
	put("\nan exception that no row causes\n");
	for (;;)
		asm volatile("cli; hlt");
}

/* n times CLI and STI around a change of memory, as Linux's spinlocks are. */
static u32 cli_sti(u32 n)
{
	u32 sum = 0;

	while (n--)
		asm volatile("cli; addl %1, %0; sti" : "+m"(sum) : "r"(n) : "cc", "memory");
	asm volatile("cli");
	return sum;
}

static u32 int_loop(u32 n)
{
	u32 eax = 0;

	while (n--)
		asm volatile("int %1" : "+a"(eax) : "i"(VECTOR_CALL) : "memory");
	return eax;
}

static u32 int_iret(u32 n)
{
	return run_user(n, int_loop);
}

static u32 sysenter(u32 n)
{
	return run_user(n, sysenter_loop);
}

static void load_directory(void)
{
	asm volatile("movl %0, %%cr3" : : "r"(directory) : "memory");
}

/* n loads of CR3, each followed by reads of REFILL_PAGES pages. */
static u32 cr3_refill(u32 n)
{
	u32 sum = 0, i;

	for (i = 0; i < REFILL_PAGES; i++)
		*(u32 *)(REFILL_BASE + i * 4160) = i * 0x1234567;
	while (n--) {
		load_directory();
		for (i = 0; i < REFILL_PAGES; i++)
			sum = sum * 3 + *(volatile u32 *)(REFILL_BASE + i * 4160);
	}
	return sum;
}

/* n times FAULT_PAGES faults, at privilege 3. */
static u32 fault_loop(u32 n)
{
	u32 sum = 0, i;

	while (n--) {
		for (i = 0; i < FAULT_PAGES; i++)
			sum += ++*(volatile u32 *)(FAULT_BASE + i * 4096);
		asm volatile("int %0" : : "i"(VECTOR_UNMAP) : "memory");
	}
	return sum;
}

static u32 page_faults(u32 n)
{
	u32 *entries = page_tables + FAULT_BASE / 4096, i;

	for (i = 0; i < FAULT_PAGES; i++) {
		entries[i] = fault_entry[i];
		*(volatile u32 *)(FAULT_BASE + i * 4096) = 0;
		entries[i] = 0;
	}
	load_directory();
	return run_user(n, fault_loop);
}

/* n bytes to the port of diagnostic codes, where nobody listens. */
static u32 port_output(u32 n)
{
	u32 sum = 0;

	for (; n; n--) {
		out(0x80, n);
		sum += n;
	}
	return sum;
}

const struct row platform_rows[] = {
	{ "cli-sti", cli_sti },
	{ "int-iret", int_iret },
	{ "sysenter", sysenter },
	{ "cr3-refill", cr3_refill },
	{ "page-faults", page_faults },
	{ "port-output", port_output },
	{ 0, 0 },
};

static void set_gate(u32 vector, u32 handler, u32 privilege)
{
	idt[vector * 2] = KERNEL_CS << 16 | (handler & 0xffff);
	idt[vector * 2 + 1] = (handler & 0xffff0000) | 0x8e00 | privilege << 13;
}

static void set_gates(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u32)idt };
	u32 i;

	for (i = 0; i < VECTORS; i++)
		set_gate(i, handlers[HANDLE_WRONG], 0);
	set_gate(14, handlers[HANDLE_FAULT], 0);
	for (i = 0; i < 16; i++)
		set_gate(PIC_VECTOR + i, handlers[HANDLE_INTERRUPT], 0);
	set_gate(VECTOR_CALL, handlers[HANDLE_CALL], 3);
	set_gate(VECTOR_DONE, handlers[HANDLE_DONE], 3);
	set_gate(VECTOR_UNMAP, handlers[HANDLE_UNMAP], 3);
	asm volatile("lidt %0" : : "m"(idtr));

	task[2] = KERNEL_DS;
	gdt[TASK / 4] = ((u32)task & 0xffff) << 16 | (sizeof(task) - 1);
	gdt[TASK / 4 + 1] = ((u32)task & 0xff000000) | 0x8900 | ((u32)task >> 16 & 0xff);
	asm volatile("ltr %w0" : : "r"(TASK));
}

static void set_paging(void)
{
	u32 cr0, i;

	for (i = 0; i < MAPPED_MB * 256; i++)
		page_tables[i] = i << 12 | PAGE_ALL;
	for (i = 0; i < MAPPED_MB / 4; i++)
		directory[i] = (u32)(page_tables + i * 1024) | PAGE_ALL;
	for (i = 0; i < FAULT_PAGES; i++) {
		u32 *entry = page_tables + FAULT_BASE / 4096 + i;

		fault_entry[i] = *entry;
		*entry = 0;
	}
	load_directory();
	asm volatile("movl %%cr0, %0" : "=r"(cr0));
	cr0 = (cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP | CR0_PG;
	asm volatile("movl %0, %%cr0" : : "r"(cr0) : "memory");
	asm volatile("movl %0, %%cr4; fninit" : : "r"(CR4_OSFXSR | CR4_OSXMMEXCPT));
}

static void write_msr(u32 number, u32 value)
{
	asm volatile("wrmsr" : : "c"(number), "a"(value), "d"(0));
}

/* COM1 tells by IRQ 4 that a byte has come; nothing else interrupts. */
static void set_devices(void)
{
	static const u8 first[] = { 0x11, PIC_VECTOR, 4, 1 }, second[] = { 0x11, PIC_VECTOR + 8, 2, 1 };
	u32 i;

	for (i = 0; i < 4; i++) {
		out(i ? 0x21 : 0x20, first[i]);
		out(i ? 0xa1 : 0xa0, second[i]);
	}
	out(0x21, 0xff & ~(1 << 4));
	out(0xa1, 0xff);
	out(COM1 + 3, 0x83);
	out(COM1, 1); /* 115,200 baud */
	out(COM1 + 1, 0);
	out(COM1 + 3, 3);
	out(COM1 + 2, 7); /* FIFOs, emptied */
	out(COM1 + 4, 0x0b); /* OUT2 lets the interrupt through */
	out(COM1 + 1, 1);
}

void machine_main(void)
{
	set_gates();
	set_paging();
	write_msr(MSR_SYSENTER_CS, KERNEL_CS);
	write_msr(MSR_SYSENTER_CS + 1, (u32)stack_end);
	write_msr(MSR_SYSENTER_CS + 2, (u32)sysenter_entry);
	set_devices();
	serve();
}
