/* Page-table entries and the TLB, call by call: 38 to 48 and 73. */
#include "include/mm.h"
#include "include/try.h"

#define TEST_VA 0x10000000
#define ENTRY_BITS (PTE_P | PTE_W | PTE_U)

static u64 cells[3] ALIGNED(16);
static const u32 flag_words[] = {
	VMI_PT, VMI_PD, VMI_PDP, VMI_PT | VMI_CURRENT_AS | TEST_VA,
	VMI_PT | VMI_CURRENT_AS | VMI_DEFER | TEST_VA, 0, 0xFFFFFFFF,
};

static void check_store(int call, int wide)
{
	check_group(call);
	for (u32 i = 0; i < ARRAY_SIZE(flag_words); i++) {
		EACH_WAY(how) {
			u64 value = (wide ? 0x00000001ull << 32 : 0) + 0x12345000 + i * 16 + how;

			/* Not in a page table, so that any value may be stored. */
			memset(cells, 0x5A, sizeof(cells));
			invoke_prepare();
			inv.in.eax = value;
			inv.in.edx = wide ? value >> 32 : (u32)&cells[1];
			inv.in.ecx = wide ? (u32)&cells[1] : flag_words[i];
			inv.stack_count = wide;
			inv.stack[0] = flag_words[i];
			try_call(call, how, RESULT_NONE);
			check(wide ? cells[1] == value : *(u32 *)&cells[1] == (u32)value,
			      "stored %llx, there is %llx, flags %x", value, cells[1], flag_words[i]);
			check(cells[0] == 0x5A5A5A5A5A5A5A5Aull && cells[2] == cells[0] &&
				      (wide || ((u32 *)&cells[1])[1] == 0x5A5A5A5A),
			      "stored beside the entry, flags %x", flag_words[i]);
		}
	}
}

/* Only told: nothing may change, and nothing be touched where nothing is. */
static void check_told(int call)
{
	check_group(call);
	for (u32 i = 0; i < ARRAY_SIZE(flag_words); i++) {
		EACH_WAY(how) {
			u64 value = 0x1122334455667788ull;

			cells[1] = value;
			try_regs(call, how, RESULT_NONE, (u32)&cells[1], flag_words[i], 0x9ABC);
			check(cells[1] == value, "changed the entry to %llx", cells[1]);
		}
	}
}

/* Pages keep their contents, whatever the flags say about zero and level. */
static void check_pages(void)
{
	static const u32 flags[] = { 0x41, 0x42, 0x51, 0x52, 0x62, 0x72, 0x01, 0x00, 0xFFFFFFFF };
	u32 pfn = frame_alloc();
	u32 *page = frame_address(pfn);

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		EACH_WAY(how) {
			u32 sum = 0;

			for (u32 k = 0; k < 1024; k++)
				page[k] = k * 0x01010100 & ~1u;
			check_group(VMI_AllocatePage);
			invoke_prepare();
			inv.in.eax = pfn;
			inv.in.edx = flags[i];
			inv.in.ecx = flags[i] & VMI_PAGE_CLONE ? kernel_space.root : 0;
			inv.stack_count = 2;
			inv.stack[0] = flags[i] & VMI_PAGE_CLONE ? 768 : 0;
			inv.stack[1] = flags[i] & VMI_PAGE_CLONE ? 256 : 0;
			try_call(VMI_AllocatePage, how, RESULT_NONE);
			check_group(VMI_ReleasePage);
			try_regs(VMI_ReleasePage, how, RESULT_NONE, pfn, flags[i] & 0x53, 0x9ABC);
			for (u32 k = 0; k < 1024; k++)
				sum += page[k] != (k * 0x01010100 & ~1u);
			check(!sum, "%u words of the page changed, flags %x", sum, flags[i]);
		}
	}
	/* Pages that are none. */
	check_group(VMI_ReleasePage);
	try_regs(VMI_ReleasePage, INVOKE_INDIRECT, RESULT_NONE, 0xFFFFFFFF, 0x41, 0);
	check_group(VMI_AllocatePage);
	invoke_prepare();
	inv.stack_count = 2;
	inv.in.eax = inv.in.ecx = 0xFFFFFFFF;
	inv.in.edx = 0x41;
	inv.stack[0] = inv.stack[1] = 0xFFFFFFFF;
	try_call(VMI_AllocatePage, INVOKE_INDIRECT, RESULT_NONE);
	frame_free(pfn);
}

static u32 frames[2];

static u64 test_entry(u32 which)
{
	return (u64)frames[which] * PAGE_SIZE | ENTRY_BITS;
}

static u32 seen(void)
{
	return *(volatile u32 *)TEST_VA;
}

/* The TLB holds frame 0's entry, memory frame 1's. */
static void make_stale(void)
{
	set_entry(entry_of(&kernel_space, TEST_VA), test_entry(0), VMI_PT | VMI_CURRENT_AS | TEST_VA);
	hook_inval_page(TEST_VA);
	check(seen() == frames[0], "a mapped page shows %x", seen());
	store_entry(entry_of(&kernel_space, TEST_VA), test_entry(1));
}

static void check_flushes(void)
{
	EACH_WAY(how) {
		check_group(VMI_InvalPage);
		for (u32 offset = 0; offset < PAGE_SIZE; offset += 0xFFF) {
			make_stale();
			try_regs(VMI_InvalPage, how, RESULT_NONE, TEST_VA + offset, 0x5678, 0x9ABC);
			check(seen() == frames[1], "the old page is still there");
		}
		try_regs(VMI_InvalPage, how, RESULT_NONE, 0x70000000, 0x5678, 0x9ABC);
		check_group(VMI_FlushTLB);
		for (u32 flags = 1; flags <= 3; flags += 2) {
			make_stale();
			try_regs(VMI_FlushTLB, how, RESULT_NONE, flags, 0x5678, 0x9ABC);
			check(seen() == frames[1], "the old page is still there, flags %x", flags);
		}
		check_group(VMI_SetCR3);
		make_stale();
		try_regs(VMI_SetCR3, how, RESULT_NONE, native_cr3(), 0x5678, 0x9ABC);
		check(seen() == frames[1], "the old page is still there");
		/* The plain instruction, too: it is not forbidden. */
		make_stale();
		native_set_cr3(native_cr3());
		check(seen() == frames[1], "the old page is still there after MOV CR3");
		make_stale();
		native_invlpg(TEST_VA);
		check(seen() == frames[1], "the old page is still there after INVLPG");
	}
}

static void check_global(void)
{
	u32 cr4 = native_cr4();

	if (!(cpu.edx & CPUID_PGE))
		return;
	check_group(VMI_FlushTLB);
	native_set_cr4(cr4 | CR4_PGE);
	EACH_WAY(how) {
		set_entry(entry_of(&kernel_space, TEST_VA), test_entry(0) | PTE_G,
			  VMI_PT | VMI_CURRENT_AS | TEST_VA);
		hook_inval_page(TEST_VA);
		check(seen() == frames[0], "a global page shows %x", seen());
		store_entry(entry_of(&kernel_space, TEST_VA), test_entry(1) | PTE_G);
		try_regs(VMI_FlushTLB, how, RESULT_NONE, 3, 0x5678, 0x9ABC);
		check(seen() == frames[1], "the old global page is still there");
		set_entry(entry_of(&kernel_space, TEST_VA), test_entry(0) | PTE_G,
			  VMI_PT | VMI_CURRENT_AS | TEST_VA);
		hook_inval_page(TEST_VA);
		check(seen() == frames[0], "InvalPage leaves the old global page");
	}
	store_entry(entry_of(&kernel_space, TEST_VA), test_entry(0));
	native_set_cr4(cr4 & ~CR4_PGE);
	native_set_cr4(cr4);
}

/* Linux's ways to change an entry, each followed by what makes the change visible. */
static void check_changes(void)
{
	void *entry = entry_of(&kernel_space, TEST_VA);
	u32 flags = VMI_PT | VMI_CURRENT_AS | TEST_VA;
	int set = pae ? VMI_SetPxELong : VMI_SetPxE, update = pae ? VMI_UpdatePxELong : VMI_UpdatePxE;

	for (u32 defer = 0; defer <= VMI_DEFER; defer += VMI_DEFER) {
		check_group(set);
		make_stale();
		set_entry(entry, test_entry(1), flags | defer);
		hook_inval_page(TEST_VA);
		check(seen() == frames[1], "the old page is still there, flags %x", flags | defer);
		make_stale();
		set_entry(entry, test_entry(1), flags | defer);
		hook_flush_tlb(VMI_FLUSH_TLB);
		check(seen() == frames[1], "the old page is still there, flags %x", flags | defer);
		check_group(update);
		make_stale();
		update_entry(entry, flags | defer);
		hook_inval_page(TEST_VA);
		check(seen() == frames[1], "the old page is still there, flags %x", flags | defer);
	}
	/* Not present to present needs no flush; nor does giving more rights, where a fault may come. */
	check_group(set);
	for (u32 i = 0; i < 2; i++) {
		u32 value = 0;

		set_entry(entry, 0, flags);
		hook_inval_page(TEST_VA);
		check(probe_read(TEST_VA, &value) == 0, "an unmapped page can be read");
		set_entry(entry, test_entry(i), flags);
		check(seen() == frames[i], "a page just mapped shows %x", seen());
	}
	set_entry(entry, test_entry(0) & ~PTE_W, flags);
	hook_inval_page(TEST_VA);
	check(probe_write(TEST_VA, frames[0]) == (PF_P | PF_W), "a read-only page can be written");
	/* Accessed and dirty are set again after they were cleared and the page invalidated. */
	check_group(update);
	set_entry(entry, test_entry(0), flags);
	hook_inval_page(TEST_VA);
	check(probe_write(TEST_VA, frames[0]) == -1, "a writable page cannot be written");
	check((read_entry(entry) & (PTE_A | PTE_D)) == (PTE_A | PTE_D), "a write leaves entry %llx",
	      read_entry(entry));
	store_entry(entry, test_entry(0));
	update_entry(entry, flags | VMI_DEFER);
	hook_inval_page(TEST_VA);
	seen();
	check((read_entry(entry) & (PTE_A | PTE_D)) == PTE_A, "a read leaves entry %llx",
	      read_entry(entry));
}

static void check_lazy(void)
{
	void *entry = entry_of(&kernel_space, TEST_VA);
	u32 flags = VMI_PT | VMI_CURRENT_AS | TEST_VA;

	check_group(VMI_SetLazyMode);
	for (u32 mode = 0; mode < 3; mode++)
		EACH_WAY(how) {
			try_regs(VMI_SetLazyMode, how, RESULT_NONE, mode, 0x5678, 0x9ABC);
			hook_set_lazy_mode(VMI_LAZY_NONE);
		}
	make_stale();
	hook_set_lazy_mode(VMI_LAZY_MMU);
	set_entry(entry, test_entry(1), flags);
	check(read_entry(entry) == test_entry(1), "an entry set in lazy mode reads %llx",
	      read_entry(entry));
	hook_inval_page(TEST_VA);
	check(seen() == frames[1], "lazy mode: InvalPage leaves the old page");
	set_entry(entry, test_entry(0), flags);
	hook_flush_tlb(VMI_FLUSH_TLB);
	check(seen() == frames[0], "lazy mode: FlushTLB leaves the old page");
	set_entry(entry, 0, flags);
	hook_inval_page(TEST_VA);
	set_entry(entry, test_entry(1), flags);
	hook_set_lazy_mode(VMI_LAZY_NONE);
	check(seen() == frames[1], "an entry set in lazy mode is missing after it");
	hook_set_lazy_mode(VMI_LAZY_CPU);
	hook_set_cr3(native_cr3());
	hook_set_lazy_mode(VMI_LAZY_NONE);
	check(native_cr3() == kernel_space.root * PAGE_SIZE, "CR3 %08x after a lazy switch", native_cr3());
}

static void check_linear_mapping(void)
{
	check_group(VMI_SetLinearMapping);
	for (u32 slot = 0; slot < 6; slot++)
		EACH_WAY(how) {
			invoke_prepare();
			inv.in.eax = slot == 5 ? 0xFFFFFFFF : slot;
			inv.in.edx = slot ? TEST_VA : PAGE_OFFSET;
			inv.in.ecx = slot ? 1 : (LOWMEM_MAX / PAGE_SIZE);
			inv.stack_count = 1;
			inv.stack[0] = slot ? frames[0] : 0;
			try_call(VMI_SetLinearMapping, how, RESULT_NONE);
		}
	for (u32 slot = 1; slot < 4; slot++)
		hook_set_linear_mapping(slot, 0, 0, 0);
}

static void check_translations(void)
{
	for (int call = VMI_MachineToPhysical; call <= VMI_PhysicalToMachine; call++) {
		check_group(call);
		EACH_WAY(how) {
			try_regs(call, how, RESULT_EAX, 0x00123456, 0x5678, 0x9ABC);
			if (vmi_supplied(call))
				expect(inv.out.eax == 0x00123456, "%08x becomes %08x", 0x123456, inv.out.eax);
		}
	}
}

void check_entries(void)
{
	irq_disable();
	check_store(VMI_SetPxE, 0);
	check_store(VMI_SetPxELong, 1);
	check_told(VMI_UpdatePxE);
	check_told(VMI_UpdatePxELong);
	check_pages();
	for (u32 i = 0; i < 2; i++) {
		frames[i] = frame_alloc_zeroed();
		*(u32 *)frame_address(frames[i]) = frames[i];
	}
	map_page(&kernel_space, TEST_VA, test_entry(0));
	check_flushes();
	check_global();
	check_changes();
	check_lazy();
	check_linear_mapping();
	check_translations();
	set_entry(entry_of(&kernel_space, TEST_VA), 0, VMI_PT | VMI_CURRENT_AS | TEST_VA);
	hook_inval_page(TEST_VA);
	for (u32 i = 0; i < 2; i++)
		frame_free(frames[i]);
	irq_enable();
}
