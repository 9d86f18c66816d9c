/*
 * Frames and address spaces. An entry is a u64 here whatever the paging format; without PAE its
 * high half is lost. All changes go through the hooks, but where a function says otherwise.
 */
#ifndef GUEST_MM_H
#define GUEST_MM_H

#include "layout.h"
#include "types.h"
#include "x86.h"

struct address_space {
	/* Frame number of the root. */
	u32 root;
	/* PAE: frame numbers of the page directories below PAGE_OFFSET. */
	u32 directories[3];
};

extern struct address_space kernel_space;
extern struct address_space *current_space;

void mm_early_init(void);
void mm_init(void);

/* A frame below LOWMEM_MAX with arbitrary contents; panics when there is none. */
u32 frame_alloc(void);
u32 frame_alloc_zeroed(void);
void frame_free(u32 pfn);
u32 frames_in_use(void);
void *frame_address(u32 pfn);
u32 frame_of(const void *address);

u64 read_entry(const void *entry);
/* SetPxE or SetPxELong. */
void set_entry(void *entry, u64 value, u32 flags);
/* A plain store, which nobody is told about. */
void store_entry(void *entry, u64 value);
/* UpdatePxE or UpdatePxELong. */
void update_entry(void *entry, u32 flags);

/* The entries of an address; entry_of() is NULL where there is no page table. */
void *directory_entry_of(struct address_space *space, u32 va);
void *entry_of(struct address_space *space, u32 va);
/* The flags Linux passes for an entry of the space. */
u32 entry_flags(struct address_space *space, u32 va);
/* Maps with a page table made when there is none. */
void map_page(struct address_space *space, u32 va, u64 entry);
/* Clears the directory entry, releases the page table, and gives its frame back. */
void drop_table(struct address_space *space, u32 va);

void space_create(struct address_space *space);
/* As Linux ends a process: page-table entries are cleared unannounced, then tables released. */
void space_destroy(struct address_space *space);
void space_switch(struct address_space *space);

/* A few pages of physical memory, until the next call. */
void *map_physical(u32 address, u32 size);
/* Uncached, for good: the local APIC. */
void *map_device(u32 address);

#endif
