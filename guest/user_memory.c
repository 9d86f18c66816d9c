/* The processes' memory: pages on demand, copies on write, and changes made for the tests. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/process.h"

#define PAGE_BITS (PTE_P | PTE_W | PTE_U)
#define PTE_FRAME 0xFFFFFF000ull
#define STACK_BOTTOM (USER_STACK_TOP - 0x10000)

extern char user_image[], user_image_size[];
static u8 users[LOWMEM_MAX / PAGE_SIZE];

static u32 frame_in(const void *entry)
{
	return (read_entry(entry) & PTE_FRAME) >> 12;
}

static void drop_frame(u32 pfn)
{
	if (--users[pfn] == 0)
		frame_free(pfn);
}

static u32 new_frame(void)
{
	u32 pfn = frame_alloc_zeroed();

	users[pfn] = 1;
	return pfn;
}

static int copy_on_write(u32 va, void *entry)
{
	u32 old = frame_in(entry);

	if (users[old] == 1) {
		/* The last user: only more rights, announced as an access flag's upgrade is. */
		store_entry(entry, read_entry(entry) | PTE_W);
		update_entry(entry, entry_flags(&current->space, va) | VMI_DEFER);
	} else {
		u32 pfn = new_frame();

		memcpy(frame_address(pfn), frame_address(old), PAGE_SIZE);
		set_entry(entry, (u64)pfn * PAGE_SIZE | PAGE_BITS, entry_flags(&current->space, va));
		drop_frame(old);
		current->copies++;
	}
	hook_inval_page(va);
	return 1;
}

int user_page_fault(struct regs *regs, u32 address)
{
	u32 va = address & ~(PAGE_SIZE - 1), pfn;
	int text = va - USER_BASE < (u32)user_image_size;

	if (!processes_running || !current)
		return 0;
	if (!text && !(va >= USER_HEAP && va < USER_HEAP_END) && !(va >= STACK_BOTTOM && va < USER_STACK_TOP))
		return 0;
	current->page_faults++;
	if (regs->error & PF_P)
		return regs->error & PF_W ? copy_on_write(va, entry_of(&current->space, va)) : 0;
	pfn = new_frame();
	if (text)
		memcpy(frame_address(pfn), user_image + (va - USER_BASE), PAGE_SIZE);
	map_page(&current->space, va, (u64)pfn * PAGE_SIZE | PAGE_BITS);
	return 1;
}

static void free_range(struct process *p, u32 from, u32 to)
{
	for (u32 va = from; va < to; va += PAGE_SIZE) {
		void *entry = entry_of(&p->space, va);

		if (entry && read_entry(entry) & PTE_P)
			drop_frame(frame_in(entry));
	}
}

/* The frames go before the tables that name them are cleared, unannounced: Linux's order. */
void user_memory_free(struct process *p)
{
	free_range(p, USER_BASE, USER_BASE + (u32)user_image_size);
	free_range(p, USER_HEAP, USER_HEAP_END);
	free_range(p, STACK_BOTTOM, USER_STACK_TOP);
}

void user_unmap(u32 va)
{
	void *entry = entry_of(&current->space, va);
	u64 old = entry ? read_entry(entry) : 0;

	if (!(old & PTE_P))
		return;
	/* Get and clear, then tell. */
	store_entry(entry, 0);
	update_entry(entry, entry_flags(&current->space, va));
	hook_inval_page(va);
	drop_frame((old & PTE_FRAME) >> 12);
}

static void *others_entry(u32 va)
{
	struct process *other = other_process();

	if (!entry_of(&other->space, va))
		map_page(&other->space, va, 0);
	return entry_of(&other->space, va);
}

static void replace_others(u32 va, u64 value, int by_update)
{
	void *entry = others_entry(va);
	u64 old = read_entry(entry);

	if (by_update) {
		store_entry(entry, value);
		update_entry(entry, VMI_PT);
	} else {
		set_entry(entry, value, VMI_PT);
	}
	if (old & PTE_P)
		drop_frame((old & PTE_FRAME) >> 12);
}

void user_share(u32 va)
{
	void *entry = entry_of(&current->space, va);
	u32 pfn = frame_in(entry);

	store_entry(entry, read_entry(entry) & ~PTE_W);
	update_entry(entry, entry_flags(&current->space, va));
	hook_flush_tlb(VMI_FLUSH_TLB);
	users[pfn]++;
	replace_others(va, (u64)pfn * PAGE_SIZE | PTE_P | PTE_U, 0);
}

void user_give(u32 va, u32 word, int by_update)
{
	u32 pfn = new_frame();

	*(u32 *)frame_address(pfn) = word;
	replace_others(va, (u64)pfn * PAGE_SIZE | PAGE_BITS, by_update);
}

/* The old table's frame comes back at once, as something else. */
void user_renew_table(u32 va)
{
	struct address_space *space = &other_process()->space;
	u32 table = frame_in(directory_entry_of(space, va)), fresh = frame_alloc();
	u64 directory = read_entry(directory_entry_of(space, va));
	u32 flags = VMI_PT | (pae ? VMI_PAGE_PAE : 0);

	memcpy(frame_address(fresh), frame_address(table), PAGE_SIZE);
	hook_allocate_page(fresh, flags, 0, 0, 0);
	set_entry(directory_entry_of(space, va), (directory & ~PTE_FRAME) | (u64)fresh * PAGE_SIZE, VMI_PD);
	hook_release_page(table, flags);
	memset(frame_address(table), 0xFF, PAGE_SIZE);
	frame_free(table);
}
