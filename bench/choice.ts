// What of a bench is to run, from its command line.

/** Whether a row is wanted, by its name or by that of its section. */
export function matcher(only: string | undefined): (name: string, section?: string) => boolean {
  if (only === undefined) return () => true;
  let pattern: RegExp;
  try {
    pattern = new RegExp(only, 'i');
  } catch {
    throw new Error(`--only ${only}: give a regular expression, such as 'gzip|sieve'`);
  }
  return (name, section = '') => pattern.test(name) || pattern.test(section);
}

export function noSuchRow(only: string | undefined, rows: readonly string[]): Error {
  return new Error(`--only ${only}: no such row; there are: ${rows.join('; ')}`);
}

/** How often, of `--repeat` and `--quick`. */
export function repetitionsOf(values: { repeat?: string | undefined; quick: boolean }): number {
  const repetitions = Number(values.repeat ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(repetitions) || repetitions < 1) {
    throw new Error(`--repeat ${values.repeat}: give a number from 1 on`);
  }
  return repetitions;
}
