/**
 * The memory and the two messages of the native harness (harness.c has the same numbers in C), and
 * the shapes of a case and its outcome. Nothing here runs anything.
 */

export interface Region {
  name: string;
  start: number;
  size: number;
  writable: boolean;
}

export const LOW = 0x00008000;
export const CODE = 0x10000000;
export const CODE_SIZE = 0x2000;
export const DATA = 0x20000000;
export const DATA_SIZE = 0x2000;
export const FIXED = 0x20002000;
export const STACK = 0x30000000;
export const STACK_SIZE = 0x1000;

/** In the order they are filled; whatever lies around them is not mapped. */
export const REGIONS: readonly Region[] = [
  { name: 'LOW', start: LOW, size: 0x1000, writable: true },
  { name: 'DATA', start: DATA, size: DATA_SIZE, writable: true },
  { name: 'FIXED', start: FIXED, size: 0x1000, writable: false },
  { name: 'STACK', start: STACK, size: STACK_SIZE, writable: true },
];

export const REGISTER_NAMES = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'] as const;
export const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;

/** Linux's selectors for 32-bit user code and data under a 64-bit kernel; the fixture uses them too. */
export const USER_CODE = 0x23;
export const USER_DATA = 0x2b;

export const TRAP_BREAKPOINT = 3;
export const TRAP_PAGE_FAULT = 14;
/** Not a vector: the case did not end. */
export const TRAP_TIMEOUT = 254;
/** Not a vector: the case took the whole harness with it. */
export const TRAP_DIED = 255;

export interface Patch {
  address: number;
  bytes: Uint8Array;
}

/** Everything a run starts from. */
export interface Case {
  regs: Uint32Array;
  eflags: number;
  /** An FXSAVE image (SDM vol. 1 10.5.1). */
  fpu: Uint8Array;
  /** Seed of the words that fill the memory. */
  fill: number;
  patches: Patch[];
  code: Uint8Array;
  /** Address of the first code byte. */
  entry: number;
}

/** Everything a run ends with. */
export interface Outcome {
  trap: number;
  error: number;
  cr2: number;
  regs: Uint32Array;
  eip: number;
  eflags: number;
  segments: Uint32Array;
  fpu: Uint8Array;
  /** Words that differ from the initial memory, by ascending region. */
  changes: Map<number, number>;
}

export const FPU_IMAGE = 512;
const CASE_WORDS = 13;
const OUTCOME_WORDS = 20;

/** The initial words of a region set, as harness.c makes them. */
export function fillWords(seed: number, into: Uint32Array): void {
  let x = seed | 0 || 1;
  for (let i = 0; i < into.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    into[i] = x;
  }
}

export function encodeCases(cases: readonly Case[]): Uint8Array {
  const pad = (n: number) => (n + 3) & ~3;
  let size = 0;
  for (const c of cases) {
    size += 4 * CASE_WORDS + FPU_IMAGE + pad(c.code.length);
    for (const p of c.patches) size += 8 + pad(p.bytes.length);
  }
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer);
  let at = 0;
  const put = (data: Uint8Array) => {
    bytes.set(data, at);
    at += pad(data.length);
  };
  for (const c of cases) {
    words.set(c.regs, at / 4);
    words.set([c.eflags, c.entry, c.code.length, c.fill, c.patches.length], at / 4 + 8);
    at += 4 * CASE_WORDS;
    put(c.fpu);
    put(c.code);
    for (const p of c.patches) {
      words.set([p.address, p.bytes.length], at / 4);
      at += 8;
      put(p.bytes);
    }
  }
  return bytes;
}

/** As many outcomes as the harness got to; it may have died on the way. */
export function decodeOutcomes(data: Uint8Array): Outcome[] {
  const bytes = data.slice();
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  const outcomes: Outcome[] = [];
  for (let w = 0; w + OUTCOME_WORDS + FPU_IMAGE / 4 <= words.length;) {
    const count = words[w + 19];
    const end = w + OUTCOME_WORDS + FPU_IMAGE / 4 + 2 * count;
    if (end > words.length) break;
    const changes = new Map<number, number>();
    for (let i = end - 2 * count; i < end; i += 2) changes.set(words[i], words[i + 1]);
    const image = 4 * (w + OUTCOME_WORDS);
    outcomes.push({
      trap: words[w],
      error: words[w + 1],
      cr2: words[w + 2],
      regs: words.slice(w + 3, w + 11),
      eip: words[w + 11],
      eflags: words[w + 12],
      segments: words.slice(w + 13, w + 19),
      fpu: bytes.slice(image, image + FPU_IMAGE),
      changes,
    });
    w = end;
  }
  return outcomes;
}
