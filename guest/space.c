/* Address spaces: the kernel's part is shared, the rest is a tree of their own. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/mm.h"
#include "include/vmi.h"

#define TABLE_ENTRY (PTE_P | PTE_W | PTE_U | PTE_A)
#define PTE_FRAME 0xFFFFFF000ull

static u32 page_flag(u32 level)
{
	return level | VMI_PAGE_ZEROED | (pae ? VMI_PAGE_PAE : 0);
}

void *directory_entry_of(struct address_space *space, u32 va)
{
	u32 *root = frame_address(space->root);
	u64 *directory;

	if (!pae)
		return &root[va >> 22];
	directory = frame_address(((u64 *)root)[va >> 30] >> 12 & 0xFFFFFF);
	return &directory[va >> 21 & 511];
}

void *entry_of(struct address_space *space, u32 va)
{
	u64 directory = read_entry(directory_entry_of(space, va));
	void *table;

	if (!(directory & PTE_P) || directory & PTE_PS)
		return NULL;
	table = frame_address((directory & PTE_FRAME) >> 12);
	return pae ? (void *)((u64 *)table + (va >> 12 & 511)) : (u32 *)table + (va >> 12 & 1023);
}

u32 entry_flags(struct address_space *space, u32 va)
{
	if (space == current_space || space == &kernel_space)
		return VMI_PT | VMI_CURRENT_AS | (va & ~(PAGE_SIZE - 1));
	return VMI_PT;
}

void map_page(struct address_space *space, u32 va, u64 entry)
{
	if (!entry_of(space, va)) {
		u32 table = frame_alloc_zeroed();

		hook_allocate_page(table, page_flag(VMI_PT), 0, 0, 0);
		set_entry(directory_entry_of(space, va), table * PAGE_SIZE | TABLE_ENTRY, VMI_PD);
	}
	set_entry(entry_of(space, va), entry, entry_flags(space, va));
}

void drop_table(struct address_space *space, u32 va)
{
	void *entry = directory_entry_of(space, va);
	u32 table = (read_entry(entry) & PTE_FRAME) >> 12;

	set_entry(entry, 0, VMI_PD);
	if (space == current_space)
		hook_flush_tlb(VMI_FLUSH_TLB);
	hook_release_page(table, page_flag(VMI_PT));
	frame_free(table);
}

void space_create(struct address_space *space)
{
	u32 first = pae ? 3 : PAGE_OFFSET >> 22, count = pae ? 1 : 1024 - first;
	u32 size = pae ? 8 : 4;
	u8 *root, *kernel = frame_address(kernel_space.root);

	space->root = frame_alloc_zeroed();
	root = frame_address(space->root);
	/* Copied in memory and announced afterwards. */
	memcpy(root + first * size, kernel + first * size, count * size);
	hook_allocate_page(space->root, page_flag(VMI_PD) | VMI_PAGE_CLONE, kernel_space.root, first,
			   count);
	for (u32 i = 0; pae && i < 3; i++) {
		space->directories[i] = frame_alloc_zeroed();
		hook_allocate_page(space->directories[i], page_flag(VMI_PD), 0, 0, 0);
		set_entry((u64 *)root + i, space->directories[i] * PAGE_SIZE | PTE_P, VMI_PDP);
	}
}

void space_destroy(struct address_space *space)
{
	u32 step = pae ? 0x200000 : 0x400000;

	if (space == current_space)
		space_switch(&kernel_space);
	for (u32 va = 0; va < PAGE_OFFSET; va += step) {
		void *directory = directory_entry_of(space, va);
		void *table = entry_of(space, va);
		u32 pfn = (read_entry(directory) & PTE_FRAME) >> 12;

		if (!table)
			continue;
		memset(table, 0, PAGE_SIZE);
		set_entry(directory, 0, VMI_PD);
		hook_release_page(pfn, page_flag(VMI_PT));
		frame_free(pfn);
	}
	for (u32 i = 0; pae && i < 3; i++) {
		store_entry((u64 *)frame_address(space->root) + i, 0);
		hook_release_page(space->directories[i], page_flag(VMI_PD));
		frame_free(space->directories[i]);
	}
	hook_release_page(space->root, page_flag(VMI_PD));
	frame_free(space->root);
}

void space_switch(struct address_space *space)
{
	hook_set_cr3(space->root * PAGE_SIZE);
	current_space = space;
}
