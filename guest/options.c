/* The command line: words between blanks. A loader may put the file's name first. */
#include "include/guest.h"

static char words[512];

void options_init(const char *line)
{
	u32 n = 0;

	while (line[n] && n < sizeof(words) - 1) {
		words[n] = line[n];
		n++;
	}
	words[n] = 0;
}

int option(const char *word)
{
	u32 size = strlen(word);
	const char *at = words;

	while (*at) {
		while (*at == ' ')
			at++;
		if (!strncmp(at, word, size) && (at[size] == ' ' || !at[size]))
			return 1;
		while (*at && *at != ' ')
			at++;
	}
	return 0;
}
