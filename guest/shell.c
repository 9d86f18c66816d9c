/* A prompt on the serial port. Between keys the processor sleeps. */
#include "include/guest.h"
#include "include/hooks.h"

static char line[80];

static int wait_char(void)
{
	for (;;) {
		int c;

		irq_disable();
		c = get_char();
		if (c >= 0) {
			irq_enable();
			return c;
		}
		hook_halt();
	}
}

static void read_line(void)
{
	u32 n = 0;

	for (;;) {
		int c = wait_char();

		if (c == '\r' || c == '\n') {
			print("\n");
			line[n] = 0;
			return;
		}
		if ((c == 8 || c == 127) && n) {
			n--;
			print("\b \b");
		} else if (c == 3) {
			print("^C\n");
			line[0] = 0;
			return;
		} else if (c >= ' ' && c < 127 && n < sizeof(line) - 1) {
			line[n++] = c;
			put_char(c);
		}
	}
}

static void help(void)
{
	print("help      this text\n"
	      "report    all checks again, and the whole report\n"
	      "calls     the calls, what the ROM answers for each, and how its checks ended\n"
	      "bench     measures every call again\n"
	      "time      date and time, by the wall clock in use\n"
	      "reboot    starts again\n"
	      "poweroff  switches the machine off\n");
}

static void print_time(void)
{
	u32 rest, seconds = divide(hook_wallclock(), 1000000000, NULL), day = seconds / 86400;
	/* Days from 1 March 2000, in which leap days come last. */
	u32 n = day - 11017, four = n / 1461, year, month;

	n %= 1461;
	year = n / 365 - n / 1460;
	n -= year * 365;
	month = (5 * n + 2) / 153;
	rest = n - (153 * month + 2) / 5 + 1;
	year += 2000 + 4 * four + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	seconds %= 86400;
	print("%u-%02u-%02u %02u:%02u:%02u UTC\n", year, month, rest, seconds / 3600, seconds / 60 % 60,
	      seconds % 60);
}

void shell(void)
{
	print("\ntype help\n");
	for (;;) {
		print("guest> ");
		read_line();
		if (!line[0])
			continue;
		if (!strcmp(line, "help"))
			help();
		else if (!strcmp(line, "report"))
			run_checks(), report();
		else if (!strcmp(line, "calls"))
			report_calls();
		else if (!strcmp(line, "bench"))
			measure_calls(), report_measurements();
		else if (!strcmp(line, "time"))
			print_time();
		else if (!strcmp(line, "reboot"))
			reboot();
		else if (!strcmp(line, "poweroff") || !strcmp(line, "exit"))
			power_off();
		else
			print("%s: unknown; help lists the commands\n", line);
	}
}
