/*
 * Port calls, 49 to 60 and 65, on registers that keep what is written and harm nobody: the CRTC's
 * cursor position, the 8259's mask, PCI's configuration address.
 */
#include "include/try.h"

#define CRTC 0x3D4
#define CURSOR_LOW 0x0F
#define PCI_ADDRESS 0xCF8
#define PCI_DATA 0xCFC
#define PIC2_MASK 0xA1

static u8 cursor_low(void)
{
	outb(CRTC, CURSOR_LOW);
	return inb(CRTC + 1);
}

static void check_in(int call, u16 port, u32 mask, u32 value)
{
	check_group(call);
	EACH_WAY(how) {
		invoke_prepare();
		inv.in.edx = port;
		try_call(call, how, RESULT_EAX);
		check((inv.out.eax & mask) == value, "port %x gives %x, is %x", port, inv.out.eax, value);
		/* Like IN, a narrow one leaves the rest of EAX. */
		expect((inv.out.eax & ~mask) == (inv.in.eax & ~mask), "changes EAX from %08x to %08x",
		       inv.in.eax, inv.out.eax);
	}
}

static void out(int call, enum invoke_how how, u16 port, u32 value)
{
	check_group(call);
	invoke_prepare();
	inv.in.edx = port;
	inv.in.eax = value;
	try_call(call, how, RESULT_NONE);
}

static u32 buffer[8];

static void check_string_in(int call, u16 port, u32 size, const void *expected)
{
	check_group(call);
	EACH_WAY(how) {
		memset(buffer, 0xA5, sizeof(buffer));
		invoke_prepare();
		inv.in.edx = port;
		inv.in.edi = (u32)buffer;
		inv.in.ecx = 4;
		try_call(call, how, RESULT_EDI | RESULT_ECX);
		check(!memcmp(buffer, expected, 4 * size) && ((u8 *)buffer)[4 * size] == 0xA5,
		      "read %08x %08x...", buffer[0], buffer[1]);
		check(inv.out.edi == (u32)buffer + 4 * size && inv.out.ecx == 0, "EDI went on by %d, ECX is %x",
		      inv.out.edi - (u32)buffer, inv.out.ecx);
		/* None at all. */
		inv.in.ecx = 0;
		try_call(call, how, RESULT_EDI | RESULT_ECX);
		check(inv.out.edi == (u32)buffer && inv.out.ecx == 0, "count 0: EDI went on by %d",
		      inv.out.edi - (u32)buffer);
	}
}

static void string_out(int call, enum invoke_how how, u16 port, u32 size, const void *from)
{
	check_group(call);
	invoke_prepare();
	inv.in.edx = port;
	inv.in.esi = (u32)from;
	inv.in.ecx = 2;
	try_call(call, how, RESULT_ESI | RESULT_ECX);
	check(inv.out.esi == (u32)from + 2 * size && inv.out.ecx == 0, "ESI went on by %d, ECX is %x",
	      inv.out.esi - (u32)from, inv.out.ecx);
}

static void check_reads(void)
{
	u32 fill[4];
	u16 words[4];
	u8 mask = inb(PIC2_MASK), bytes[4] = { mask, mask, mask, mask };

	outl(PCI_ADDRESS, 0x80000000);
	check_in(VMI_INL, PCI_DATA, 0xFFFFFFFF, inl(PCI_DATA));
	check_in(VMI_INW, PCI_DATA, 0xFFFF, inw(PCI_DATA));
	check_in(VMI_INB, PIC2_MASK, 0xFF, mask);
	for (u32 i = 0; i < 4; i++) {
		fill[i] = inl(PCI_DATA);
		words[i] = inw(PCI_DATA + 2);
	}
	check_string_in(VMI_INSL, PCI_DATA, 4, fill);
	check_string_in(VMI_INSW, PCI_DATA + 2, 2, words);
	check_string_in(VMI_INSB, PIC2_MASK, 1, bytes);
}

static void check_writes(void)
{
	u8 mask = inb(PIC2_MASK), cursor = cursor_low();
	int crtc, pci;

	/* Which of the registers this machine has. */
	outb(CRTC + 1, cursor ^ 0x15);
	crtc = cursor_low() == (cursor ^ 0x15);
	outl(PCI_ADDRESS, 0x80000810);
	pci = inl(PCI_ADDRESS) == 0x80000810;
	EACH_WAY(how) {
		u16 words[2] = { (0x31 + how) << 8 | CURSOR_LOW, (0x51 + how) << 8 | CURSOR_LOW };
		u8 bytes[2] = { 0xFF, 0xEF - how };
		u32 longs[2] = { 0x80000000, 0x80000900 + how * 4 };

		out(VMI_OUTB, how, PIC2_MASK, 0x12345600 | (0xFE - how));
		check(inb(PIC2_MASK) == 0xFE - how, "wrote %x, reads %x", 0xFE - how, inb(PIC2_MASK));
		string_out(VMI_OUTSB, how, PIC2_MASK, 1, bytes);
		check(inb(PIC2_MASK) == bytes[1], "wrote %x, reads %x", bytes[1], inb(PIC2_MASK));
		out(VMI_OUTW, how, CRTC, 0x12340000 | (0x71 + how) << 8 | CURSOR_LOW);
		check(!crtc || cursor_low() == 0x71 + how, "wrote %x, reads %x", 0x71 + how, cursor_low());
		string_out(VMI_OUTSW, how, CRTC, 2, words);
		check(!crtc || cursor_low() == 0x51 + how, "wrote %x, reads %x", 0x51 + how, cursor_low());
		out(VMI_OUTL, how, PCI_ADDRESS, 0x80000A00 + how * 4);
		check(!pci || inl(PCI_ADDRESS) == 0x80000A00 + how * 4u, "wrote %x, reads %x",
		      0x80000A00 + how * 4u, inl(PCI_ADDRESS));
		string_out(VMI_OUTSL, how, PCI_ADDRESS, 4, longs);
		check(!pci || inl(PCI_ADDRESS) == longs[1], "wrote %x, reads %x", longs[1], inl(PCI_ADDRESS));
	}
	outb(PIC2_MASK, mask);
	cursor_low();
	outb(CRTC + 1, cursor);
}

void check_ports(void)
{
	irq_disable();
	check_reads();
	check_writes();
	irq_enable();
	check_group(VMI_IODelay);
	EACH_WAY(how)
		try_regs(VMI_IODelay, how, RESULT_NONE, 1, 2, 3);
}
