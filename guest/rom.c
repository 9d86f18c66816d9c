/*
 * Finding the VMI ROM and binding to it: the same scan, checks and messages as Linux's, so that a
 * ROM that pleases one pleases the other.
 */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/layout.h"
#include "include/vmi.h"

#define ROM_SIGNATURE 0xAA55
#define VMI_SIGNATURE 0x696D5663
#define API_MAJOR 3
#define PCI_VENDOR_VMWARE 0x15AD
#define PCI_DEVICE_VMI 0x0801

const char *const vmi_names[VMI_CALLS] = {
#define VMI_CALL(number, name, class) [number] = #name,
#include "include/vmi-calls.h"
#undef VMI_CALL
};

const char vmi_classes[VMI_CALLS] = {
#define VMI_CALL(number, name, class) [number] = #class[0],
#include "include/vmi-calls.h"
#undef VMI_CALL
};

void *vmi_fn[VMI_CALLS];
struct vmi_binding vmi_binding[VMI_CALLS];
int vmi_active;
u32 vmi_rom_base, vmi_rom_size, vmi_rom_top;

static const char *rom_string(const u8 *rom, u16 offset, const char *otherwise)
{
	return offset ? (const char *)rom + offset : otherwise;
}

/* Prints what Linux prints. */
static int acceptable(const u8 *rom)
{
	const struct vmi_rom_header *header = (const void *)rom;
	const struct vmi_pci_header *pci;
	const char *manufacturer = "UNKNOWN", *product = "UNKNOWN", *license;

	if (header->rom_signature != ROM_SIGNATURE || header->vmi_signature != VMI_SIGNATURE)
		return 0;
	if (header->api_major != API_MAJOR) {
		print("VMI: Found mismatched rom version %u.%u\n", header->api_major,
		      header->api_minor);
		return 0;
	}
	if (!header->pci_offset) {
		print("VMI: ROM does not contain PCI header.\n");
		return 0;
	}
	pci = (const void *)(rom + header->pci_offset);
	if (pci->vendor != PCI_VENDOR_VMWARE || pci->device != PCI_DEVICE_VMI)
		print("VMI: ROM from unknown manufacturer\n");
	if (header->pnp_offset) {
		const struct vmi_pnp_header *pnp = (const void *)(rom + header->pnp_offset);

		manufacturer = rom_string(rom, pnp->manufacturer, manufacturer);
		product = rom_string(rom, pnp->product, product);
	}
	print("VMI: Found %s %s, API version %u.%u, ROM version %u.%u\n", manufacturer, product,
	      header->api_major, header->api_minor, pci->rom_major, pci->rom_minor);
	license = rom_string(rom, header->license_offset, "unspecified");
	if (strcmp(license, "GPL") && strcmp(license, "GPL v2")) {
		print("VMI: Non GPL license `%s' found for ROM. Not used.\n", license);
		return 0;
	}
	return 1;
}

void vmi_probe(void)
{
	u32 base;

	memcpy(vmi_fn, vmi_native, sizeof(vmi_fn));
	for (base = VMI_ROM_START; base < VMI_ROM_END; base += VMI_ROM_STEP)
		if (acceptable((const u8 *)PAGE_OFFSET + base))
			break;
	if (base >= VMI_ROM_END)
		return;
	vmi_rom_base = PAGE_OFFSET + base;
	vmi_rom_size = 512 * ((const struct vmi_rom_header *)vmi_rom_base)->rom_length;
	vmi_rom_top = ((const struct vmi_rom_header *)vmi_rom_base)->virtual_top;
	if (vmi_rom_top)
		print("Reserving virtual address space above 0x%08x\n", vmi_rom_top);
	if (vmi_rom_top && vmi_rom_top < FIXMAP + 0x400000)
		panic("the ROM reserves 0x%08x and above, this kernel uses 0x%08x", vmi_rom_top,
		      FIXMAP);
}

struct vmi_binding vmi_get_relocation(u32 call)
{
	struct vmi_binding b = { 0, VMI_RELOC_NONE };
	u64 answer;

	if (!vmi_active)
		return b;
	answer = ((u64(*)(u32))(vmi_rom_base + VMI_GET_RELOC_OFFSET))(call);
	b.eip = answer;
	b.type = answer >> 32;
	return b;
}

int vmi_supplied(int call)
{
	return vmi_binding[call].type == VMI_RELOC_CALL || vmi_binding[call].type == VMI_RELOC_JUMP;
}

void vmi_activate(void)
{
	extern char native_nothing[];

	if (!vmi_rom_base)
		return;
	if (((int (*)(void))(vmi_rom_base + VMI_INIT_OFFSET))() != 0) {
		print("VMI ROM failed to initialize!\n");
		return;
	}
	vmi_active = 1;
	for (int call = 0; call < VMI_CALLS; call++) {
		struct vmi_binding b = vmi_get_relocation(call);

		vmi_binding[call] = b;
		if (b.type == VMI_RELOC_CALL)
			vmi_fn[call] = (void *)b.eip;
		else if (b.type == VMI_RELOC_NOP)
			vmi_fn[call] = native_nothing;
		else if (b.type == VMI_RELOC_JUMP && (call == VMI_IRET || call == VMI_SYSEXIT))
			vmi_fn[call] = (void *)b.eip;
		else if (b.type != VMI_RELOC_NONE)
			print("VMI: Unknown relocation type %d for %s\n", b.type, vmi_names[call]);
	}
	patch_sites();
}
