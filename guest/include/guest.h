/* What every file may use: console, strings, boot options, checks and their report. */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "types.h"

/* console.c */
void console_init(void);
void console_interrupts(void);
void console_irq(void);
void put_char(char c);
/* The next byte typed, or -1. */
int get_char(void);
/* Knows %d %u %x %s %c, a width, '-' and '0', and %llu. */
void print(const char *format, ...) PRINTF(1);
void print_list(const char *format, __builtin_va_list list);
void panic(const char *format, ...) PRINTF(1) NORETURN;

/* string.c */
void *memset(void *to, int value, u32 size);
void *memcpy(void *to, const void *from, u32 size);
int memcmp(const void *a, const void *b, u32 size);
u32 strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, u32 size);

/* options.c */
void options_init(const char *line);
/* The command line has the word. */
int option(const char *word);

/* main.c */
/* Every group of checks, from nothing. */
void run_checks(void);
struct cpu_features {
	u32 edx;
	char vendor[13];
};
extern struct cpu_features cpu;
extern u32 memory_bytes;
extern int pae;

/* checks.c */
enum check_group {
	/* Calls come first, by number. */
	GROUP_DISCOVERY = 74,
	GROUP_PATCHING,
	GROUP_MMU,
	GROUP_PROCESSES,
	GROUPS,
};

struct check_result {
	u16 checks, failed, notes;
	/* Bit 0: a fault was reported at the call site, bit 1: inside the ROM. */
	u8 fault_at;
	/* A reason why nothing, or not everything, could be tried. */
	const char *remark;
	/* Tenths of a cycle; 0 = not measured. */
	u32 native, vmi;
};
extern struct check_result results[GROUPS];
extern const char *const group_names[GROUPS - GROUP_DISCOVERY];

void check_group(int group);
/* Counts a check of the current group; prints it if it failed. Returns `ok`. */
int check(int ok, const char *format, ...) PRINTF(2);
/* Something a ROM may do otherwise, but should not. Returns `ok`. */
int expect(int ok, const char *format, ...) PRINTF(2);
void remark(const char *text);
u32 checks_total(u32 *failed, u32 *notes);

/* The groups of checks, in the order in which they run. */
void check_discovery(void);
void check_registers(void);
void check_tables(void);
void check_interrupt_flag(void);
void check_returns(void);
void check_entries(void);
void check_address_spaces(void);
void check_time(void);
void check_apic(void);
void check_ports(void);
void check_pointers(void);
void check_processes(void);
/* Seconds since 1970 by the RTC. */
u32 rtc_seconds(void);

/* bench.c, report.c, shell.c */
void measure_calls(void);
void report(void);
void report_calls(void);
void report_measurements(void);
void shell(void) NORETURN;

/* power.c */
void power_init(void);
void power_off(void) NORETURN;
void reboot(void) NORETURN;

/* time.c */
extern u32 tsc_khz;
extern int vmi_timer;
/* The tick comes through the local APIC's timer entry instead of IRQ 0; VMI alarms only. */
extern int tick_by_apic;
void time_init(void);
/* IRQ 0 once, after so many PIT ticks (1,193,182 a second); at most 65535. */
void pit_one_shot(u32 ticks);
void pit_silence(void);
/* Busy waiting by the TSC. */
void delay_us(u32 us);
/* The scheduler's tick, by the VMI alarm where there is one, else by the PIT. */
void tick_start(u32 hz);
void tick_stop(void);

/* apic.c */
extern u32 apic_base;
void apic_init(void);

#endif
