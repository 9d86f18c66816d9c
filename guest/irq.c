/* The 8259 pair, and what arrives: IRQ 0 is counted, IRQ 4 is the console's. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/layout.h"
#include "include/trap.h"
#include "include/x86.h"

#define PIC1 0x20
#define PIC2 0xA0
#define READ_REQUESTS 0x0A
#define END_OF_INTERRUPT 0x20
#define APIC_EOI 0xB0

volatile u32 irq_count[16], lvtt_count;
u32 irq0_cs, irq0_eip;
static u16 mask = 0xFFFF & ~(1 << 2);

static void write_masks(void)
{
	outb(PIC1 + 1, mask);
	outb(PIC2 + 1, mask >> 8);
}

void irq_init(void)
{
	outb(PIC1, 0x11);
	outb(PIC2, 0x11);
	outb(PIC1 + 1, IRQ_VECTOR);
	outb(PIC2 + 1, IRQ_VECTOR + 8);
	outb(PIC1 + 1, 1 << 2);
	outb(PIC2 + 1, 2);
	outb(PIC1 + 1, 1);
	outb(PIC2 + 1, 1);
	write_masks();
}

void irq_unmask(int irq)
{
	mask &= ~(1 << irq);
	write_masks();
}

void irq_mask(int irq)
{
	mask |= 1 << irq;
	write_masks();
}

int irq_pending(int irq)
{
	outb(PIC1, READ_REQUESTS);
	return inb(PIC1) >> irq & 1;
}

void handle_irq(struct regs *regs)
{
	u32 irq = regs->vector - IRQ_VECTOR;

	if (regs->vector == LVTT_VECTOR) {
		lvtt_count++;
		hook_apic_write(APIC_EOI, 0);
		timer_tick(regs);
		return;
	}
	if (irq > 15)
		return;
	irq_count[irq]++;
	if (irq > 7)
		outb(PIC2, END_OF_INTERRUPT);
	outb(PIC1, END_OF_INTERRUPT);
	if (irq == 0) {
		irq0_cs = regs->cs & 0xFFFF;
		irq0_eip = regs->eip;
		timer_tick(regs);
	} else if (irq == 4) {
		console_irq();
	}
}
