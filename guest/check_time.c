/* Counters, alarms, wall clock: calls 66 to 71. */
#include "include/try.h"

#define MS(n) ((u64)tsc_khz * (n))
#define APIC_LVTT 0x320
#define MASKED 0x10000

static u64 result(void)
{
	return (u64)inv.out.edx << 32 | inv.out.eax;
}

static void check_frequency(void)
{
	check_group(VMI_GetCycleFrequency);
	EACH_WAY(how) {
		u32 khz;

		try_regs(VMI_GetCycleFrequency, how, RESULT_EAX | RESULT_EDX, 1, 2, 3);
		khz = divide(result(), 1000, NULL);
		check(khz > tsc_khz - tsc_khz / 20 && khz < tsc_khz + tsc_khz / 20,
		      "%u kHz, by the PIT the TSC has %u", khz, tsc_khz);
	}
}

static void check_counter(void)
{
	check_group(VMI_GetCycleCounter);
	for (u32 i = 0; i < 20; i++) {
		EACH_WAY(how) {
			u64 before = rdtsc(), after, real, available;

			try_regs(VMI_GetCycleCounter, how, RESULT_EAX | RESULT_EDX, VMI_CYCLES_REAL, 2, 3);
			real = result();
			after = rdtsc();
			check(before <= real && real <= after, "REAL %llu is not between %llu and %llu", real,
			      before, after);
			try_regs(VMI_GetCycleCounter, how, RESULT_EAX | RESULT_EDX, VMI_CYCLES_STOLEN, 2, 3);
			available = -result();
			try_regs(VMI_GetCycleCounter, how, RESULT_EAX | RESULT_EDX, VMI_CYCLES_AVAILABLE, 2,
				 3);
			available += rdtsc();
			check(result() <= available && result() + MS(100) >= available,
			      "AVAILABLE is %llu, should be about %llu", result(), available);
		}
	}
	for (u32 unknown = 3; unknown; unknown = unknown == 3 ? 255 : unknown == 255 ? 0x80000000 : 0) {
		try_regs(VMI_GetCycleCounter, INVOKE_INDIRECT, RESULT_EAX | RESULT_EDX, unknown, 2, 3);
		check(result() == 0, "counter %x is %llu", unknown, result());
	}
}

static void set_alarm(enum invoke_how how, u32 flags, u64 expiry, u64 period)
{
	check_group(VMI_SetAlarm);
	invoke_prepare();
	inv.flags = native_flags() & (FLAG_IF | 2);
	inv.in.eax = flags;
	inv.in.edx = expiry;
	inv.in.ecx = expiry >> 32;
	inv.stack_count = 2;
	inv.stack[0] = period;
	inv.stack[1] = period >> 32;
	try_call(VMI_SetAlarm, how, RESULT_NONE);
}

static u32 cancel_alarm(enum invoke_how how, u32 flags)
{
	check_group(VMI_CancelAlarm);
	inv.stack_count = 0;
	try_regs(VMI_CancelAlarm, how, RESULT_EAX, flags, 2, 3);
	return inv.out.eax;
}

/* Counts interrupts, over a stretch of the counter that the alarm is on. */
struct watch {
	volatile u32 *count;
	u32 counter, start;
};

/*
 * Waits until so many have come or the counter has gone on by so much; gives how many came. Where
 * the host has much else to do AVAILABLE stands still for long: hence a limit in REAL time.
 */
static u32 wait_for(struct watch *w, u32 wanted, u32 ms)
{
	u64 end = hook_cycle_counter(w->counter) + MS(ms), limit = rdtsc() + MS(10000);

	while (*w->count - w->start < wanted && hook_cycle_counter(w->counter) < end && rdtsc() < limit)
		__asm__ __volatile__("pause");
	return *w->count - w->start;
}

/* From here on they are counted; what is under way still arrives. */
static void watch(struct watch *w)
{
	delay_us(1000);
	w->start = *w->count;
}

static void check_one_shot(u32 flags, struct watch *w, enum invoke_how how)
{
	u64 expiry = hook_cycle_counter(w->counter) + MS(3), now;
	u32 n;

	watch(w);
	set_alarm(how, flags, expiry, 0);
	n = wait_for(w, 1, 500);
	now = hook_cycle_counter(w->counter);
	check(n == 1 && now >= expiry, "one-shot %x: %u interrupts, expiry %llu, now %llu", flags, n, expiry,
	      now);
	check(wait_for(w, 2, 10) == 1, "one-shot %x came again", flags);
	check(cancel_alarm(how, flags) == 0, "a fired one-shot %x counts as armed", flags);

	/* In the past: at once. */
	watch(w);
	set_alarm(how, flags, hook_cycle_counter(w->counter) - MS(1), 0);
	check(wait_for(w, 1, 100) == 1, "an expiry in the past, %x: no interrupt", flags);
	watch(w);
	set_alarm(how, flags, 0, 0);
	check(wait_for(w, 1, 100) == 1, "expiry 0, %x: no interrupt", flags);

	/* Period 0 is once, whatever the flag says. */
	watch(w);
	set_alarm(how, flags | VMI_ALARM_PERIODIC, hook_cycle_counter(w->counter), 0);
	wait_for(w, 1, 100);
	check(wait_for(w, 2, 10) == 1, "period 0, %x: %u interrupts", flags, *w->count - w->start);
}

static void check_alarm(u32 flags, volatile u32 *count, enum invoke_how how)
{
	struct watch w = { count, flags & 0xFF, 0 };
	u32 n;

	check_one_shot(flags, &w, how);

	/* Again and again; missed ones are left out, so there may be fewer. */
	watch(&w);
	set_alarm(how, flags | VMI_ALARM_PERIODIC, hook_cycle_counter(w.counter), MS(2));
	n = wait_for(&w, ~0u, 60);
	check(n >= 4 && n <= 32, "period 2 ms, %x: %u interrupts in 60 ms", flags, n);
	check(cancel_alarm(how, flags | VMI_ALARM_PERIODIC) == 1, "a periodic %x counts as not armed", flags);
	watch(&w);
	check(wait_for(&w, 1, 10) == 0, "a cancelled periodic %x comes", flags);

	/* The later setting holds; a cancelled one never comes. */
	set_alarm(how, flags, hook_cycle_counter(w.counter) + MS(20000), 0);
	set_alarm(how, flags, hook_cycle_counter(w.counter) + MS(60000), 0);
	check(wait_for(&w, 1, 10) == 0, "an alarm %x comes before its time", flags);
	set_alarm(how, flags, hook_cycle_counter(w.counter) + MS(2), 0);
	check(wait_for(&w, 1, 500) == 1, "an alarm %x set anew does not come", flags);
	set_alarm(how, flags, hook_cycle_counter(w.counter) + MS(20000), 0);
	check(cancel_alarm(how, flags) == 1, "an armed %x counts as not armed", flags);
	check(cancel_alarm(how, flags) == 0, "a cancelled %x counts as armed", flags);
}

static void check_odd_alarms(volatile u32 *count)
{
	struct watch w = { count, VMI_CYCLES_AVAILABLE, 0 };

	watch(&w);
	for (u32 counter = 2; counter < 256; counter += 84)
		set_alarm(INVOKE_INDIRECT, counter, 0, 0);
	set_alarm(INVOKE_INDIRECT, VMI_CYCLES_STOLEN | VMI_ALARM_PERIODIC, 0, 1000);
	check(wait_for(&w, 1, 10) == 0, "an alarm on an unknown counter comes");
	for (u32 counter = 2; counter < 256; counter += 84)
		check(cancel_alarm(INVOKE_INDIRECT, counter) == 0, "counter %u has an alarm armed", counter);

	/* Both counters have one. */
	watch(&w);
	set_alarm(INVOKE_INDIRECT, VMI_CYCLES_REAL, hook_cycle_counter(VMI_CYCLES_REAL) + MS(20), 0);
	set_alarm(INVOKE_INDIRECT, VMI_CYCLES_AVAILABLE, hook_cycle_counter(VMI_CYCLES_AVAILABLE) + MS(80), 0);
	check(wait_for(&w, 2, 500) == 2, "two alarms at once: %u interrupts", *count - w.start);

	/* Halted, the alarm wakes. The PIT is there in case it does not. */
	irq_disable();
	watch(&w);
	set_alarm(INVOKE_INDIRECT, VMI_CYCLES_REAL, hook_cycle_counter(VMI_CYCLES_REAL) + MS(5), 0);
	for (u64 begin = rdtsc(); rdtsc() - begin < MS(40) && *count == w.start;) {
		pit_one_shot(0xFFFF);
		hook_halt();
		irq_disable();
	}
	check(cancel_alarm(INVOKE_INDIRECT, VMI_CYCLES_REAL) == 0, "an alarm does not wake a halted processor");
	pit_silence();
	irq_enable();
	delay_us(1000);
}

static void check_lvtt_mask(void)
{
	struct watch w = { &lvtt_count, VMI_CYCLES_REAL, 0 };
	u32 saved = hook_apic_read(APIC_LVTT);

	watch(&w);
	hook_apic_write(APIC_LVTT, MASKED | LVTT_VECTOR);
	set_alarm(INVOKE_INDIRECT, VMI_ALARM_LVTT, 0, 0);
	check(wait_for(&w, 1, 10) == 0, "an alarm comes through a masked LVTT");
	cancel_alarm(INVOKE_INDIRECT, VMI_ALARM_LVTT);
	hook_apic_write(APIC_LVTT, saved);
}

static void check_alarms(void)
{
	if (!vmi_timer) {
		for (int call = VMI_SetAlarm; call <= VMI_CancelAlarm; call++) {
			check_group(call);
			remark("no VMI timer: the PIT is used");
		}
		return;
	}
	pit_silence();
	/* Silencing may itself raise IRQ 0 once. */
	delay_us(2000);
	EACH_WAY(how)
		for (u32 counter = VMI_CYCLES_REAL; counter <= VMI_CYCLES_AVAILABLE; counter++) {
			check_alarm(counter, &irq_count[0], how);
			if (!apic_base)
				continue;
			hook_apic_write(APIC_LVTT, LVTT_VECTOR);
			check_alarm(counter | VMI_ALARM_LVTT, &lvtt_count, how);
		}
	check_odd_alarms(&irq_count[0]);
	if (apic_base)
		check_lvtt_mask();
}

static void check_wallclock(void)
{
	u64 first = 0;

	check_group(VMI_GetWallclockTime);
	EACH_WAY(how) {
		u32 before = rtc_seconds(), after, seconds;
		u64 time;

		try_regs(VMI_GetWallclockTime, how, RESULT_EAX | RESULT_EDX, 1, 2, 3);
		time = result();
		after = rtc_seconds();
		seconds = divide(time, 1000000000, NULL);
		check(seconds + 1 >= before && seconds <= after + 1, "%u seconds since 1970, the RTC says %u",
		      seconds, after);
		check(time >= first, "the clock went back from %llu to %llu", first, time);
		first = time;
	}
	check_group(VMI_WallclockUpdated);
	EACH_WAY(how) {
		try_regs(VMI_WallclockUpdated, how, RESULT_EAX, 1, 2, 3);
		try_regs(VMI_WallclockUpdated, how, RESULT_EAX, 1, 2, 3);
		check(inv.out.eax == 0, "twice at once: %x", inv.out.eax);
	}
}

void check_time(void)
{
	inv.stack_count = 0;
	check_frequency();
	check_counter();
	check_alarms();
	inv.stack_count = 0;
	check_wallclock();
}
