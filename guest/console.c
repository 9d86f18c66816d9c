/* The first serial port: polled output, input by interrupt 4. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/trap.h"
#include "include/x86.h"

#define COM1 0x3F8
#define DATA (COM1 + 0)
#define INTERRUPT_ENABLE (COM1 + 1)
#define FIFO_CONTROL (COM1 + 2)
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define DIVISOR_LATCH 0x80
#define DATA_READY 0x01
#define TRANSMITTER_EMPTY 0x20
#define SERIAL_IRQ 4

static char input[256];
static volatile u32 input_head, input_tail;

void console_init(void)
{
	outb(INTERRUPT_ENABLE, 0);
	outb(LINE_CONTROL, DIVISOR_LATCH);
	outb(DATA, 1); /* 115200 baud */
	outb(INTERRUPT_ENABLE, 0);
	outb(LINE_CONTROL, 3); /* 8N1 */
	outb(FIFO_CONTROL, 7);
	outb(MODEM_CONTROL, 0xB);
}

void console_interrupts(void)
{
	irq_unmask(SERIAL_IRQ);
	outb(INTERRUPT_ENABLE, 1);
}

void console_irq(void)
{
	while (inb(LINE_STATUS) & DATA_READY) {
		char c = inb(DATA);

		if (input_head - input_tail < sizeof(input))
			input[input_head++ % sizeof(input)] = c;
	}
}

int get_char(void)
{
	if (input_head == input_tail)
		return -1;
	return (u8)input[input_tail++ % sizeof(input)];
}

static void send(char c)
{
	for (u32 i = 0; i < 1000000 && !(inb(LINE_STATUS) & TRANSMITTER_EMPTY); i++)
		;
	outb(DATA, c);
}

void put_char(char c)
{
	if (c == '\n')
		send('\r');
	send(c);
}

static void pad(char with, int count)
{
	while (count-- > 0)
		put_char(with);
}

static void put_text(const char *text, int width, int left)
{
	int rest = width - (int)strlen(text);

	if (!left)
		pad(' ', rest);
	while (*text)
		put_char(*text++);
	if (left)
		pad(' ', rest);
}

static void put_number(u64 value, u32 base, int negative, int width, int zero, int left)
{
	char digits[24];
	int n = sizeof(digits) - 1;

	digits[n] = 0;
	do {
		u32 digit;

		value = divide(value, base, &digit);
		digits[--n] = "0123456789abcdef"[digit];
		if (zero)
			width--;
	} while (value);
	for (; zero && width > 0 && n > 1; width--)
		digits[--n] = '0';
	if (negative)
		digits[--n] = '-';
	put_text(digits + n, zero ? 0 : width, left);
}

void print_list(const char *f, __builtin_va_list list)
{
	for (; *f; f++) {
		int width = 0, left = 0, zero = 0, wide = 0;
		u64 value;

		if (*f != '%') {
			put_char(*f);
			continue;
		}
		f++;
		if (*f == '-')
			left = 1, f++;
		if (*f == '0')
			zero = 1, f++;
		for (; *f >= '0' && *f <= '9'; f++)
			width = width * 10 + *f - '0';
		for (; *f == 'l'; f++)
			wide++;
		switch (*f) {
		case 's':
			put_text(__builtin_va_arg(list, const char *), width, left);
			break;
		case 'c':
			put_char(__builtin_va_arg(list, int));
			break;
		case 'd': {
			int number = __builtin_va_arg(list, int);

			put_number(number < 0 ? -(u32)number : (u32)number, 10, number < 0, width, zero,
				   left);
			break;
		}
		case 'u':
		case 'x':
			value = wide > 1 ? __builtin_va_arg(list, u64) : __builtin_va_arg(list, u32);
			put_number(value, *f == 'x' ? 16 : 10, 0, width, zero, left);
			break;
		default:
			put_char(*f);
		}
	}
}

void print(const char *format, ...)
{
	__builtin_va_list list;

	__builtin_va_start(list, format);
	print_list(format, list);
	__builtin_va_end(list);
}

void panic(const char *format, ...)
{
	static int again;
	__builtin_va_list list;

	native_cli();
	/* A panic of what follows: nothing more can be said. */
	while (again)
		__asm__ __volatile__("cli; hlt");
	again = 1;
	print("\npanic: ");
	__builtin_va_start(list, format);
	print_list(format, list);
	__builtin_va_end(list);
	print("\nvmi86 guest: stopped\n");
	power_off();
}
