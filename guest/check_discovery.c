/* The ROM's header and what it answers about relocations, by what Linux would do with it. */
#include "include/try.h"

static void check_header(void)
{
	const u8 *rom = (const u8 *)vmi_rom_base;
	u8 sum = 0;

	for (u32 i = 0; i < vmi_rom_size; i++)
		sum += rom[i];
	check(vmi_rom_size > 0, "length 0");
	expect(!sum, "the bytes of the ROM sum to %02x, a BIOS wants 0", sum);
}

static void check_answer(int call)
{
	struct vmi_binding b = vmi_binding[call], again = vmi_get_relocation(call);

	check(b.eip == again.eip && b.type == again.type, "%s: %u %08x, later %u %08x", vmi_names[call],
	      b.type, b.eip, again.type, again.eip);
	check(b.type <= VMI_RELOC_NOP, "%s: type %u", vmi_names[call], b.type);
	if (call == VMI_IRET || call == VMI_SYSEXIT)
		check(b.type == VMI_RELOC_CALL || b.type == VMI_RELOC_JUMP,
		      "%s: type %u, Linux needs CALL or JUMP", vmi_names[call], b.type);
	else
		check(b.type != VMI_RELOC_JUMP, "%s: JUMP, which Linux refuses", vmi_names[call]);
	if (vmi_supplied(call))
		check((b.eip >= vmi_rom_base && b.eip < vmi_rom_base + vmi_rom_size) ||
			      (vmi_rom_top && b.eip >= vmi_rom_top),
		      "%s: at %08x, outside the ROM", vmi_names[call], b.eip);
}

static void check_pairs(void)
{
	check(vmi_binding[VMI_GetCycleFrequency].type != VMI_RELOC_NOP, "GetCycleFrequency: NOP");
	check(vmi_supplied(VMI_SetPxE) == vmi_supplied(VMI_UpdatePxE), "one of SetPxE and UpdatePxE");
	check(vmi_supplied(VMI_SetPxELong) == vmi_supplied(VMI_UpdatePxELong),
	      "one of SetPxELong and UpdatePxELong");
	if (vmi_binding[VMI_GetCycleFrequency].type)
		for (int call = VMI_GetCycleCounter; call <= VMI_GetWallclockTime; call++)
			check(vmi_binding[call].type == VMI_RELOC_CALL, "a timer without %s",
			      vmi_names[call]);
}

static void check_questions(void)
{
	static const u32 unknown[] = { 74, 75, 79, 80, 255, 256, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF };

	for (u32 i = 0; i < ARRAY_SIZE(unknown); i++)
		check(vmi_get_relocation(unknown[i]).type == VMI_RELOC_NONE, "call %x: type %u",
		      unknown[i], vmi_get_relocation(unknown[i]).type);
	for (u32 call = 0; call < VMI_CALLS; call++) {
		invoke_prepare();
		inv.in.eax = call;
		invoke_at((void *)(vmi_rom_base + VMI_GET_RELOC_OFFSET));
		check(inv.vector < 0 && inv.out.ebx == inv.in.ebx && inv.out.esi == inv.in.esi &&
			      inv.out.edi == inv.in.edi && inv.out.ebp == inv.in.ebp &&
			      inv.out_esp == inv.esp_before && !(inv.out_flags & FLAG_DF),
		      "asking for %s changes registers", vmi_names[call]);
	}
}

/* Every form that a site is left in must work: the hooks have been in use since the patching. */
static void check_patching(void)
{
	extern char patch_sites_start[], patch_sites_end[];
	u32 sites = (patch_sites_end - patch_sites_start) / 8, mask;

	check_group(GROUP_PATCHING);
	print("patch sites: %u of %u patched\n", patched_sites, sites);
	if (vmi_active && vmi_supplied(VMI_EnableInterrupts) && vmi_supplied(VMI_DisableInterrupts))
		check(patched_sites > 4, "only %u sites patched", patched_sites);
	irq_enable();
	check(native_flags() & FLAG_IF, "the enabling site does not enable");
	mask = irq_save();
	check(mask & FLAG_IF, "the saving site gives %x with interrupts on", mask);
	check(!(native_flags() & FLAG_IF), "the disabling site does not disable");
	irq_restore(mask);
	check(native_flags() & FLAG_IF, "the restoring site does not enable");
	irq_disable();
	irq_restore(irq_save());
	check(!(native_flags() & FLAG_IF), "saving and restoring enables");
	irq_enable();
}

void check_discovery(void)
{
	check_group(GROUP_DISCOVERY);
	if (vmi_active) {
		check_header();
		for (int call = 0; call < VMI_CALLS; call++)
			check_answer(call);
		check_pairs();
		check_questions();
	} else {
		remark("no ROM: every call below is the native routine");
	}
	check_patching();
}
