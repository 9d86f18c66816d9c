/*
 * Clocks: the TSC measured by the PIT, the RTC, and the scheduler's tick. The native_ routines stand
 * in the hook table for the timer calls of a ROM that has none.
 */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/layout.h"
#include "include/trap.h"
#include "include/x86.h"

#define PIT_HZ 1193182
#define PIT_COMMAND 0x43
#define PIT_CHANNEL_0 0x40
#define PIT_CHANNEL_2 0x42
#define PORT_B 0x61
#define CALIBRATION_MS 20
#define RTC_INDEX 0x70
#define RTC_DATA 0x71

u32 tsc_khz;
int vmi_timer, tick_by_apic;

/* PIT channel 2's count and the TSC at the same moment: the reading that took least of several. */
static u64 read_both(u32 *count)
{
	u64 best = ~0ull, when = 0;

	for (u32 i = 0; i < 20; i++) {
		u64 before = rdtsc(), after;
		u32 value;

		outb(PIT_COMMAND, 0x80); /* latch */
		after = rdtsc();
		value = inb(PIT_CHANNEL_2);
		value |= inb(PIT_CHANNEL_2) << 8;
		if (after - before >= best)
			continue;
		best = after - before;
		when = before + best / 2;
		*count = value;
	}
	return when;
}

static u32 measure_tsc(void)
{
	u32 first, last = 0;
	u64 start, end;

	outb(PIT_COMMAND, 0xB0);
	outb(PIT_CHANNEL_2, 0xFF);
	outb(PIT_CHANNEL_2, 0xFF);
	start = read_both(&first);
	do
		end = read_both(&last);
	while (((first - last) & 0xFFFF) < PIT_HZ * CALIBRATION_MS / 1000);
	return divide((end - start) * PIT_HZ, ((first - last) & 0xFFFF) * 1000, NULL);
}

/* Who gives the processor to others for 55 ms at the wrong time loses a turn of the counter. */
static void calibrate(void)
{
	u32 before;

	outb(PORT_B, (inb(PORT_B) & ~2) | 1);
	tsc_khz = measure_tsc();
	for (u32 i = 0; i < 20; i++) {
		before = tsc_khz;
		tsc_khz = measure_tsc();
		if (tsc_khz - before + before / 500 < before / 250)
			break;
	}
}

void delay_us(u32 us)
{
	u64 end = rdtsc() + divide((u64)us * tsc_khz, 1000, NULL);

	while (rdtsc() < end)
		__asm__ __volatile__("pause");
}

static void pit_start(u8 mode, u32 ticks)
{
	outb(PIT_COMMAND, 0x30 | mode << 1);
	outb(PIT_CHANNEL_0, ticks);
	outb(PIT_CHANNEL_0, ticks >> 8);
}

void pit_one_shot(u32 ticks)
{
	pit_start(0, ticks);
}

/* Mode 5 waits for a gate that never comes: how Linux silences the PIT under the VMI timer. */
void pit_silence(void)
{
	outb(PIT_COMMAND, 0x3A);
}

static u8 rtc_read(u8 index)
{
	outb(RTC_INDEX, index);
	return inb(RTC_DATA);
}

static u32 from_bcd(u32 value, int binary)
{
	return binary ? value : (value >> 4) * 10 + (value & 15);
}

u32 rtc_seconds(void)
{
	static const u16 days_before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	u8 raw[6], again[6];
	u32 v[6], days;
	int binary;

	do {
		for (u32 i = 0; i < 1000000 && rtc_read(0x0A) & 0x80; i++)
			;
		for (u32 i = 0; i < 6; i++)
			raw[i] = rtc_read("\0\2\4\7\10\11"[i]);
		for (u32 i = 0; i < 6; i++)
			again[i] = rtc_read("\0\2\4\7\10\11"[i]);
	} while (memcmp(raw, again, 6));
	binary = rtc_read(0x0B) & 4;
	for (u32 i = 0; i < 6; i++)
		v[i] = from_bcd(raw[i], binary);
	v[5] += 30; /* since 1970; 2000 to 2099, where every fourth year is a leap year */
	days = v[5] * 365 + (v[5] + 1) / 4 + days_before[(v[4] - 1) % 12] + v[3] - 1;
	if (v[4] > 2 && v[5] % 4 == 2)
		days++;
	return ((days * 24 + v[2]) * 60 + v[1]) * 60 + v[0];
}

u64 native_cycle_frequency(void)
{
	return (u64)tsc_khz * 1000;
}

/* By the PIT, whatever the counter and the wiring. */
void native_set_alarm(u32 flags, u32 low, u32 high, u32 period_low, u32 period_high)
{
	u64 expiry = (u64)high << 32 | low, period = (u64)period_high << 32 | period_low;
	u64 now = rdtsc(), wait;

	if ((flags & 0xFF) > VMI_CYCLES_AVAILABLE)
		return;
	wait = expiry > now ? expiry - now : 0;
	if (flags & VMI_ALARM_PERIODIC && period)
		wait = period;
	wait = divide(wait * (PIT_HZ / 1000), tsc_khz, NULL);
	if (wait < 2)
		wait = 2;
	if (wait > 0xFFFF)
		wait = 0xFFFF;
	pit_start(flags & VMI_ALARM_PERIODIC && period ? 2 : 0, wait);
}

u32 native_cancel_alarm(u32 flags)
{
	(void)flags;
	pit_silence();
	return 0;
}

u64 native_wallclock(void)
{
	return rtc_seconds() * 1000000000ull;
}

u32 native_wallclock_updated(void)
{
	return 0;
}

/* A ROM with one timer call must have all that Linux fetches. */
static int timer_offered(void)
{
	static const u8 needed[] = { VMI_GetCycleFrequency, VMI_GetCycleCounter, VMI_SetAlarm,
				     VMI_CancelAlarm, VMI_GetWallclockTime };

	for (u32 i = 0; i < ARRAY_SIZE(needed); i++)
		if (!vmi_supplied(needed[i]))
			return 0;
	return 1;
}

void time_init(void)
{
	pit_silence();
	calibrate();
	vmi_timer = timer_offered() && !option("vmi=disable_timer");
	irq_unmask(0);
}

#define APIC_LVTT 0x320
#define MASKED 0x10000

static u32 tick_flags(void)
{
	return VMI_CYCLES_REAL | VMI_ALARM_PERIODIC | (tick_by_apic ? VMI_ALARM_LVTT : 0);
}

void tick_start(u32 hz)
{
	if (!vmi_timer) {
		pit_start(2, PIT_HZ / hz);
		return;
	}
	if (tick_by_apic)
		hook_apic_write(APIC_LVTT, LVTT_VECTOR);
	/* Linux's first expiry is now. */
	hook_set_alarm(tick_flags(), hook_cycle_counter(VMI_CYCLES_REAL),
		       divide(hook_cycle_frequency(), hz, NULL));
}

void tick_stop(void)
{
	if (!vmi_timer) {
		pit_silence();
		return;
	}
	hook_cancel_alarm(tick_flags());
	if (tick_by_apic)
		hook_apic_write(APIC_LVTT, MASKED | LVTT_VECTOR);
}
