/* What the bare machine's C and assembly share: selectors, vectors, where things are. */
#ifndef MACHINE_H
#define MACHINE_H

#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
/* SYSEXIT takes the two behind the kernel's (SDM vol. 2B, SYSEXIT). */
#define USER_CS 0x1b
#define USER_DS 0x23
#define TASK 0x28

#define STACK_SIZE 16384
#define PIC_VECTOR 0x20
#define VECTOR_CALL 0x80
#define VECTOR_DONE 0x81
#define VECTOR_UNMAP 0x82
#define VECTORS 0x83

#define MAPPED_MB 16
/* Pages that are not there until they are touched. */
#define FAULT_BASE 0xc00000
#define FAULT_PAGES 64
/* Pages that are read after each load of CR3. */
#define REFILL_BASE 0x800000
#define REFILL_PAGES 16

/* Indexes of handlers[] in start.S. */
#define HANDLE_WRONG 0
#define HANDLE_FAULT 1
#define HANDLE_INTERRUPT 2
#define HANDLE_CALL 3
#define HANDLE_DONE 4
#define HANDLE_UNMAP 5

#endif
