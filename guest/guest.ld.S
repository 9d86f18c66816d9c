/* Linked at PAGE_OFFSET + physical; user.c alone at the processes' own address. */
#include "include/layout.h"

OUTPUT_FORMAT("elf32-i386")
ENTRY(start_physical)

PHDRS
{
	kernel PT_LOAD FLAGS(7);
	user PT_LOAD FLAGS(7);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = PAGE_OFFSET + LOAD_ADDRESS;
	start_physical = start - PAGE_OFFSET;

	.text : AT(ADDR(.text) - PAGE_OFFSET) {
		*(.multiboot)
		*(EXCLUDE_FILE(*user.o) .text EXCLUDE_FILE(*user.o) .text.*)
		*(EXCLUDE_FILE(*user.o) .rodata EXCLUDE_FILE(*user.o) .rodata.*)
		. = ALIGN(4);
		patch_sites_start = .;
		*(.patchsites)
		patch_sites_end = .;
	} :kernel
	. = ALIGN(PAGE_SIZE);
	user_image = .;

	.user USER_BASE : AT(user_image - PAGE_OFFSET) {
		*user.o(.text.start)
		*user.o(.text .text.* .rodata .rodata.* .data .data.* .bss .bss.* COMMON)
		. = ALIGN(PAGE_SIZE);
	} :user
	user_image_size = SIZEOF(.user);

	. = user_image + SIZEOF(.user);
	.data : AT(ADDR(.data) - PAGE_OFFSET) {
		*(.data .data.*)
	} :data
	.bss : AT(ADDR(.bss) - PAGE_OFFSET) {
		*(.bss .bss.* COMMON)
		. = ALIGN(PAGE_SIZE);
	} :data
	kernel_end = .;

	/DISCARD/ : { *(.comment .note .note.* .eh_frame .eh_frame_hdr) }
}
