/*
 * Addresses and selectors, for C, assembly and the linker script. The selectors are those of Linux
 * on i386, because the ROM meets them in its calls.
 */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define PAGE_OFFSET 0xC0000000
#define LOAD_ADDRESS 0x00100000
#define USER_BASE 0x08048000
#define PAGE_SIZE 4096

/* Physical memory that is mapped at PAGE_OFFSET; more is not needed. */
#define LOWMEM_MAX 0x02000000

/* One page table's worth of addresses for devices and ACPI tables. */
#define FIXMAP 0xF7C00000

/* User addresses of the processes' tests. */
#define USER_STACK_TOP 0xBFFFF000
#define USER_HEAP 0x10000000
#define USER_HEAP_END 0x10100000

#define KERNEL_CS 0x60
#define KERNEL_DS 0x68
#define USER_CS 0x73
#define USER_DS 0x7B
#define TLS_ENTRY 6
#define TLS_SELECTOR 0x33
#define TSS_ENTRY 16
#define TSS_SELECTOR 0x80
#define LDT_ENTRY 17
#define LDT_SELECTOR 0x88
/* Free in Linux; used here for descriptors that have to be wrong. */
#define SPARE_ENTRY 25
#define SPARE_SELECTOR 0xC8
#define PERCPU_SELECTOR 0xD8
#define CANARY_SELECTOR 0xE0
#define DOUBLE_FAULT_SELECTOR 0xF8
#define GDT_ENTRIES 32

/* Vectors. ISA interrupts begin where Linux puts them. */
#define IRQ_VECTOR 0x30
#define TEST_VECTOR 0x81
#define SYSCALL_VECTOR 0x80
#define LVTT_VECTOR 0xEF
#define SPURIOUS_VECTOR 0xFF

#define KERNEL_STACK_SIZE 8192

#endif
