/* Frames, the kernel's own mapping, and single entries. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/mm.h"
#include "include/vmi.h"

#define KERNEL_ENTRY (PTE_P | PTE_W | PTE_A | PTE_D)
#define PTE_PCD 0x10
#define WINDOW_PAGES 16
#define DEVICE_PAGE 20

extern char kernel_end[];
void enable_pae(u32 directory);

struct address_space kernel_space;
struct address_space *current_space = &kernel_space;

static u32 next_frame, frame_limit, free_count;
static u32 free_frames[LOWMEM_MAX / PAGE_SIZE];
static u32 taken;
static u64 pae_boot[4][512] ALIGNED(PAGE_SIZE);
static u64 pae_boot_root[4] ALIGNED(32);

void *frame_address(u32 pfn)
{
	return (void *)(PAGE_OFFSET + pfn * PAGE_SIZE);
}

u32 frame_of(const void *address)
{
	return ((u32)address - PAGE_OFFSET) / PAGE_SIZE;
}

u32 frame_alloc(void)
{
	taken++;
	if (free_count)
		return free_frames[--free_count];
	if (next_frame >= frame_limit)
		panic("out of memory: give the machine at least 16 MiB");
	return next_frame++;
}

u32 frame_alloc_zeroed(void)
{
	u32 pfn = frame_alloc();

	memset(frame_address(pfn), 0, PAGE_SIZE);
	return pfn;
}

/* Freed last, used first: the sooner a frame comes back, the harder for stale TLB entries to hide. */
void frame_free(u32 pfn)
{
	taken--;
	free_frames[free_count++] = pfn;
}

u32 frames_in_use(void)
{
	return taken;
}

u64 read_entry(const void *entry)
{
	return pae ? *(volatile const u64 *)entry : *(volatile const u32 *)entry;
}

void store_entry(void *entry, u64 value)
{
	volatile u32 *word = entry;

	if (pae) {
		word[0] = 0;
		word[1] = value >> 32;
	}
	word[0] = value;
}

void set_entry(void *entry, u64 value, u32 flags)
{
	if (pae)
		hook_set_pxe_long(value, entry, flags);
	else
		hook_set_pxe(value, entry, flags);
}

void update_entry(void *entry, u32 flags)
{
	if (pae)
		hook_update_pxe_long(entry, flags);
	else
		hook_update_pxe(entry, flags);
}

/* The boot tables in PAE format: what boot.S mapped, in the other format. */
void mm_early_init(void)
{
	if (!option("pae"))
		return;
	if (!(cpu.edx & CPUID_PAE))
		panic("pae: this processor has no PAE");
	for (u32 i = 0; i < LOWMEM_MAX / 0x200000; i++) {
		pae_boot[0][i] = i * 0x200000 | KERNEL_ENTRY | PTE_PS;
		pae_boot[3][i] = pae_boot[0][i];
	}
	for (u32 i = 0; i < 4; i++)
		pae_boot_root[i] = ((u32)pae_boot[i] - PAGE_OFFSET) | PTE_P;
	enable_pae((u32)pae_boot_root - PAGE_OFFSET);
	pae = 1;
}

static u32 page_flag(u32 level)
{
	return level | VMI_PAGE_ZEROED | (pae ? VMI_PAGE_PAE : 0);
}

static void kernel_root(void)
{
	kernel_space.root = frame_alloc_zeroed();
	if (pae) {
		u64 *root = frame_address(kernel_space.root);

		/* All four are there before paging uses them: the processor caches the root. */
		for (u32 i = 0; i < 4; i++) {
			u32 pfn = frame_alloc_zeroed();

			if (i < 3)
				kernel_space.directories[i] = pfn;
			hook_allocate_page(pfn, page_flag(VMI_PD), 0, 0, 0);
			set_entry(&root[i], pfn * PAGE_SIZE | PTE_P, VMI_PDP);
		}
	}
}

/* Linux's order: a live table is filled by SetPxE before anybody says that it is one. */
void mm_init(void)
{
	u32 mapped = memory_bytes < LOWMEM_MAX ? memory_bytes & ~0x3FFFFF : LOWMEM_MAX;

	next_frame = frame_of(kernel_end);
	frame_limit = mapped / PAGE_SIZE;
	kernel_root();
	for (u32 at = 0; at < mapped; at += PAGE_SIZE)
		map_page(&kernel_space, PAGE_OFFSET + at, at | KERNEL_ENTRY);
	map_page(&kernel_space, FIXMAP, 0);
	hook_set_linear_mapping(0, PAGE_OFFSET, mapped / PAGE_SIZE, 0);
	hook_set_cr3(kernel_space.root * PAGE_SIZE);
	hook_allocate_page(kernel_space.root, page_flag(VMI_PD), 0, 0, 0);
	hook_flush_tlb(VMI_FLUSH_TLB | VMI_FLUSH_GLOBAL);
}

void *map_physical(u32 address, u32 size)
{
	u32 first = address & ~(PAGE_SIZE - 1), offset = address & (PAGE_SIZE - 1);

	for (u32 i = 0; i < WINDOW_PAGES; i++) {
		u32 va = FIXMAP + i * PAGE_SIZE;
		int used = i * PAGE_SIZE < offset + size;

		map_page(&kernel_space, va, used ? (u64)(first + i * PAGE_SIZE) | KERNEL_ENTRY : 0);
		hook_inval_page(va);
	}
	return (void *)(FIXMAP + offset);
}

void *map_device(u32 address)
{
	u32 va = FIXMAP + DEVICE_PAGE * PAGE_SIZE;

	map_page(&kernel_space, va, address | KERNEL_ENTRY | PTE_PCD);
	hook_inval_page(va);
	return (void *)va;
}
