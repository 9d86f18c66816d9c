/* System calls of the two processes: number in EAX, arguments in EBX, ECX, EDX. */
#ifndef GUEST_SYSCALLS_H
#define GUEST_SYSCALLS_H

#define SYS_EXIT 0
#define SYS_GETPID 1
/* Lets the other process run. */
#define SYS_YIELD 2
/* (text, is, should be): a check; text is in the caller's memory. */
#define SYS_CHECK 3
/* (address): the page is gone. */
#define SYS_UNMAP 4
/* (base): thread-local storage through selector 33h. */
#define SYS_SET_TLS 5
/* (address): the other process gets this page, too, copied when one of them writes. */
#define SYS_SHARE 6
/* (address, word, how): the other process gets another page there, by SetPxE or UpdatePxE. */
#define SYS_GIVE 7
/* (address): the other process gets another page table there with the same pages. */
#define SYS_RENEW_TABLE 8
/* Waits until the other process has called it as often. */
#define SYS_MEET 9
/* How often this process was preempted. */
#define SYS_PREEMPTIONS 10

#endif
