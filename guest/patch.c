/*
 * Patch sites, as Linux has them: every place that enables, disables, saves or restores the
 * interrupt flag, or leaves the kernel, is recorded in .patchsites and becomes a direct CALL or JMP
 * into the ROM. A call that the ROM does not supply keeps its indirect form, through the table.
 */
#include "include/guest.h"
#include "include/vmi.h"
#include "include/x86.h"

struct patch_site {
	u8 *address;
	u8 call, length;
	u16 unused;
};

extern struct patch_site patch_sites_start[], patch_sites_end[];
u32 patched_sites;

#define OPCODE_CALL 0xE8
#define OPCODE_JUMP 0xE9
#define OPCODE_NOP 0x90

static void serialize(void)
{
	u32 out[4];

	cpuid(0, 0, out);
}

static void write_branch(u8 *site, u8 opcode, u32 target)
{
	u32 distance = target - ((u32)site + 5);

	site[0] = opcode;
	memcpy(site + 1, &distance, 4);
}

void patch_call(void *site, void *target)
{
	write_branch(site, OPCODE_CALL, (u32)target);
	serialize();
}

void patch_sites(void)
{
	for (struct patch_site *site = patch_sites_start; site < patch_sites_end; site++) {
		/* Asked for every site again, as Linux does: the ROM must keep answering. */
		struct vmi_binding b = vmi_get_relocation(site->call);
		u32 used = 0;

		switch (b.type) {
		case VMI_RELOC_NONE:
			continue;
		case VMI_RELOC_CALL:
		case VMI_RELOC_JUMP:
			write_branch(site->address, b.type == VMI_RELOC_CALL ? OPCODE_CALL : OPCODE_JUMP,
				     b.eip);
			used = 5;
			break;
		case VMI_RELOC_NOP:
			break;
		default:
			panic("VMI: relocation type %d for %s", b.type, vmi_names[site->call]);
		}
		memset(site->address + used, OPCODE_NOP, site->length - used);
		patched_sites++;
	}
	serialize();
}
