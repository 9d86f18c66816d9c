/*
 * The VMI ROM interface, API 3.0: header, relocations, call numbers, flags (docs/vmi.md).
 */
#ifndef GUEST_VMI_H
#define GUEST_VMI_H

#define VMI_ROM_START 0xC0000
#define VMI_ROM_END 0xE0000
#define VMI_ROM_STEP 2048
#define VMI_INIT_OFFSET 0x80
#define VMI_GET_RELOC_OFFSET 0x88

#define VMI_RELOC_NONE 0
#define VMI_RELOC_CALL 1
#define VMI_RELOC_JUMP 2
#define VMI_RELOC_NOP 3

/* Entry updates, calls 38 to 41. */
#define VMI_PT 0x01
#define VMI_PD 0x02
#define VMI_PDP 0x04
#define VMI_CURRENT_AS 0x10
#define VMI_DEFER 0x20

/* Pages, calls 44 and 45. */
#define VMI_PAGE_PAE 0x10
#define VMI_PAGE_CLONE 0x20
#define VMI_PAGE_ZEROED 0x40

#define VMI_FLUSH_TLB 1
#define VMI_FLUSH_GLOBAL 2

#define VMI_LAZY_NONE 0
#define VMI_LAZY_MMU 1
#define VMI_LAZY_CPU 2

#define VMI_CYCLES_REAL 0
#define VMI_CYCLES_AVAILABLE 1
#define VMI_CYCLES_STOLEN 2
#define VMI_ALARM_PERIODIC 0x100
#define VMI_ALARM_LVTT 0x10000

#define VMI_CALLS 74

/* For assembly, which cannot see the enumeration. */
#define CALL_ENABLE 29
#define CALL_DISABLE 30
#define CALL_GET_MASK 31
#define CALL_SET_MASK 32
#define CALL_IRET 33
#define CALL_SYSEXIT 34

#ifndef __ASSEMBLER__
#include "types.h"

struct vmi_rom_header {
	u16 rom_signature;
	u8 rom_length;
	u8 rom_entry[4];
	u8 pad0;
	u32 vmi_signature;
	u8 api_minor;
	u8 api_major;
	u8 jump_slots;
	u8 reserved1;
	u32 virtual_top;
	u16 reserved2;
	u16 license_offset;
	u16 pci_offset;
	u16 pnp_offset;
} PACKED;

struct vmi_pci_header {
	u32 signature;
	u16 vendor;
	u16 device;
	u8 other[10];
	u8 rom_minor;
	u8 rom_major;
} PACKED;

struct vmi_pnp_header {
	u8 other[14];
	u16 manufacturer;
	u16 product;
} PACKED;

/* What SetInitialAPState takes. */
struct vmi_ap_state {
	u32 cr0, cr2, cr3, cr4;
	u64 efer;
	u32 eip, eflags;
	u32 eax, ebx, ecx, edx, esp, ebp, esi, edi;
	u16 cs, ss, ds, es, fs, gs, ldtr;
	u16 gdtr_limit;
	u32 gdtr_base;
	u32 idtr_base;
	u16 idtr_limit;
};

enum vmi_call {
#define VMI_CALL(number, name, class) VMI_##name = number,
#include "vmi-calls.h"
#undef VMI_CALL
};

/* Where each call goes now: the ROM's routine, or the native one of native.S. */
extern void *vmi_fn[VMI_CALLS];
extern void *const vmi_native[VMI_CALLS];

/* What the ROM answered; all NONE without a ROM. */
struct vmi_binding {
	u32 eip;
	u8 type;
};
extern struct vmi_binding vmi_binding[VMI_CALLS];
extern int vmi_active;
extern u32 vmi_rom_base, vmi_rom_size, vmi_rom_top;

extern const char *const vmi_names[VMI_CALLS];
extern const char vmi_classes[VMI_CALLS];

void vmi_probe(void);
void vmi_activate(void);
struct vmi_binding vmi_get_relocation(u32 call);
/* The ROM supplies code for the call. */
int vmi_supplied(int call);

/* patch.c */
void patch_sites(void);
void patch_call(void *site, void *target);
extern u32 patched_sites;

#endif
#endif
