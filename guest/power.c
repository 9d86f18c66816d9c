/*
 * Ends of the machine. Power-off by ACPI: RSDP, FADT, and the \_S5 package found in the DSDT's
 * bytes; without ACPI by QEMU's debug exit, which does nothing elsewhere. Reboot by the keyboard
 * controller, then the chipset's reset register.
 */
#include "include/guest.h"
#include "include/layout.h"
#include "include/mm.h"
#include "include/x86.h"

#define SLEEP_ENABLE 0x2000
#define DEBUG_EXIT 0x501
#define KEYBOARD_COMMAND 0x64
#define PULSE_RESET 0xFE
#define RESET_CONTROL 0xCF9

#define FADT_DSDT 40
#define FADT_SMI_COMMAND 48
#define FADT_ACPI_ENABLE 52
#define FADT_PM1A_CONTROL 64
#define TABLE_LENGTH 4
#define TABLE_HEADER 36
#define TABLE_MAX 0xF000

static u32 pm1a_control, sleep_type, smi_command;
static u8 acpi_enable;

void native_reboot(u32 how);
void native_shutdown(void);

static u32 get32(const u8 *at)
{
	u32 value;

	memcpy(&value, at, 4);
	return value;
}

static const u8 *find_rsdp(u32 from, u32 to)
{
	for (; from < to; from += 16) {
		const u8 *at = (const u8 *)PAGE_OFFSET + from;
		u8 sum = 0;

		if (memcmp(at, "RSD PTR ", 8))
			continue;
		for (u32 i = 0; i < 20; i++)
			sum += at[i];
		if (!sum)
			return at;
	}
	return NULL;
}

/* The table at a physical address, mapped whole. */
static const u8 *map_table(u32 address)
{
	const u8 *table = map_physical(address, TABLE_HEADER);
	u32 length = get32(table + TABLE_LENGTH);

	return map_physical(address, length < TABLE_MAX ? length : TABLE_MAX);
}

/* Name(_S5, Package {type, ...}): PackageOp, its length, the count, the first element. */
static void find_sleep_type(const u8 *dsdt, u32 length)
{
	for (u32 i = TABLE_HEADER; i + 12 < length; i++) {
		const u8 *at = dsdt + i;

		if (memcmp(at, "_S5_", 4) || at[4] != 0x12)
			continue;
		at += 5;
		at += (*at >> 6) + 2;
		if (*at == 0x0A)
			at++;
		/* ZeroOp, OneOp and a byte constant all read as their value here. */
		sleep_type = *at & 7;
		return;
	}
}

static int find_fadt(u32 rsdt_address, u32 *dsdt)
{
	const u8 *rsdt = map_table(rsdt_address);
	u32 count = (get32(rsdt + TABLE_LENGTH) - TABLE_HEADER) / 4, entries[32];

	if (count > ARRAY_SIZE(entries))
		count = ARRAY_SIZE(entries);
	memcpy(entries, rsdt + TABLE_HEADER, 4 * count);
	for (u32 i = 0; i < count; i++) {
		const u8 *table = map_table(entries[i]);

		if (memcmp(table, "FACP", 4))
			continue;
		pm1a_control = get32(table + FADT_PM1A_CONTROL);
		smi_command = get32(table + FADT_SMI_COMMAND);
		acpi_enable = table[FADT_ACPI_ENABLE];
		*dsdt = get32(table + FADT_DSDT);
		return 1;
	}
	return 0;
}

void power_init(void)
{
	u32 ebda = *(volatile u16 *)(PAGE_OFFSET + 0x40E) << 4, dsdt;
	const u8 *rsdp = NULL;

	if (ebda >= 0x80000 && ebda < 0xA0000)
		rsdp = find_rsdp(ebda, ebda + 1024);
	if (!rsdp)
		rsdp = find_rsdp(0xE0000, 0x100000);
	if (rsdp && find_fadt(get32(rsdp + 16), &dsdt)) {
		const u8 *table = map_table(dsdt);
		u32 length = get32(table + TABLE_LENGTH);

		find_sleep_type(table, length < TABLE_MAX ? length : TABLE_MAX);
		print("acpi: PM1a control %x, S5 is sleep type %u\n", pm1a_control, sleep_type);
	} else {
		print("acpi: none\n");
	}
}

void native_shutdown(void)
{
	native_cli();
	if (pm1a_control) {
		if (smi_command && acpi_enable && !(inw(pm1a_control) & 1))
			outb(smi_command, acpi_enable);
		outw(pm1a_control, sleep_type << 10 | SLEEP_ENABLE);
	}
	outb(DEBUG_EXIT, 0);
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void native_reboot(u32 how)
{
	(void)how;
	native_cli();
	outb(KEYBOARD_COMMAND, PULSE_RESET);
	delay_us(50000);
	outb(RESET_CONTROL, 2);
	outb(RESET_CONTROL, 6);
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void power_off(void)
{
	native_shutdown();
	for (;;)
		;
}

void reboot(void)
{
	native_reboot(0);
	for (;;)
		;
}
