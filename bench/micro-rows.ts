// The rows of the micro-benchmarks: what bench/guests/ runs by these names, and how often. The
// counts make each row 0.3 to 0.5 s of QEMU's time, and more where the JIT is so much faster that a row would be
// over before the engine's second compiler is done: of 30 ms, 10 would say how long that takes, not how fast a
// computation is. Every computing row takes the JIT a tenth of a second at least, and half a second to one where it is
// not much more than four times as fast as the interpreter or compiles in the background for long: what a row costs
// the first time has a target of its own.

/** What a row is about: the sections of the table, and what each target is over. */
export type MicroGroup = 'compiled' | 'integer' | 'x87' | 'SSE2' | 'system';

export interface MicroRow {
  name: string;
  /** What the guest knows it by. */
  word: string;
  count: number;
  group: MicroGroup;
  /** One instruction does the work of thousands: no measure of an interpreter or a translator. */
  bulk?: boolean;
}

const row = (group: MicroGroup, word: string, count: number, name: string): MicroRow => ({
  group,
  word,
  count,
  name,
});

export const MICRO_ROWS: MicroRow[] = [
  row('compiled', 'sieve', 200, 'sieve'),
  row('compiled', 'fib', 3000, 'recursive fib'),
  row('compiled', 'crc32', 1500, 'CRC-32'),
  row('compiled', 'sha256', 400_000, 'SHA-256 blocks'),
  row('compiled', 'quicksort', 330, 'quicksort'),
  row('compiled', 'bytecode', 2000, 'byte-code interpreter'),
  row('integer', 'integer-loop', 200_000_000, 'integer loop'),
  row('integer', 'calls-within', 30_000_000, 'calls within a page'),
  row('integer', 'calls-across', 24_000_000, 'calls across pages'),
  row('integer', 'load-add-store', 50_000, 'load, add, store'),
  row('integer', 'copy-loop', 50_000, 'copy by a loop'),
  { ...row('integer', 'copy-movs', 50_000, 'copy by REP MOVS'), bulk: true },
  row('x87', 'x87-matrix', 480, 'x87 matrix product'),
  row('x87', 'x87-division', 22_000, 'x87 division and root'),
  row('SSE2', 'sse2-matrix', 1000, 'SSE2 matrix, scalar'),
  row('SSE2', 'sse2-packed', 1200, 'SSE2 matrix, packed'),
  row('SSE2', 'sse2-integers', 180_000, 'SSE2 packed integers'),
  row('system', 'cli-sti', 15_000_000, 'CLI and STI'),
  row('system', 'int-iret', 1_200_000, 'INT and IRET'),
  row('system', 'sysenter', 3_500_000, 'SYSENTER and SYSEXIT'),
  row('system', 'cr3-refill', 100_000, 'load of CR3 and refill'),
  row('system', 'page-faults', 9000, 'page faults'),
  row('system', 'port-output', 11_000_000, 'port output'),
];

/** Rows that the processor itself can run, as a program for Linux. */
export function isComputing(row: MicroRow): boolean {
  return row.group !== 'system';
}
