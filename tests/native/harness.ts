/**
 * Builds the native harness (harness.c) and runs cases on the processor under the tests. Needs an
 * x86 host and a compiler for 32 bits; `unavailable()` says why there is none.
 */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { arch, platform } from 'node:process';
import { spawnSync } from '../lib/commands.ts';
import {
  FPU_IMAGE,
  TRAP_DIED,
  decodeOutcomes,
  encodeCases,
  type Case,
  type Outcome,
} from './layout.ts';

const source = fileURLToPath(new URL('./harness.c', import.meta.url));
const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));
export const program = `${artifacts}native-harness`;

let state: { reason: string | null } | null = null;

/** Why cases cannot run natively here, or null when they can. */
export function unavailable(): string | null {
  state ??= { reason: prepare() };
  return state.reason;
}

function prepare(): string | null {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'ia32'))
    return 'not an x86 Linux host: nothing to compare the CPU with';
  try {
    build();
  } catch (error) {
    return (error as Error).message;
  }
  const probe = spawnSync(program, { input: new Uint8Array(0) });
  if (probe.status !== 0)
    return `32-bit programs do not run here (${probe.error?.message ?? probe.stderr.toString().trim()})`;
  return null;
}

function build(): void {
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(artifacts, { recursive: true });
  const scratch = `${program}.${process.pid}`;
  // The image lies high and out of the way of what generated addresses are likely to be.
  const flags =
    '-m32 -static -nostdlib -ffreestanding -fno-pie -no-pie -fno-stack-protector -mno-sse ' +
    '-mno-80387 -O2 -Wl,-Ttext-segment=0x70000000 -Wl,--build-id=none';
  const gcc = spawnSync('gcc', [...flags.split(' '), '-o', scratch, source]);
  if (gcc.status !== 0)
    throw new Error(
      `cannot build the native harness: install gcc with 32-bit support (gcc-multilib); ` +
        `${gcc.error?.message ?? gcc.stderr.toString().split('\n')[0]}`,
    );
  renameSync(scratch, program);
}

const DEAD: Outcome = {
  trap: TRAP_DIED,
  error: 0,
  cr2: 0,
  regs: new Uint32Array(8),
  eip: 0,
  eflags: 0,
  segments: new Uint32Array(6),
  fpu: new Uint8Array(FPU_IMAGE),
  changes: new Map(),
};

/** Runs the cases in order; a case that kills the harness is reported dead and the rest go on. */
export function runNative(cases: readonly Case[]): Outcome[] {
  const outcomes: Outcome[] = [];
  while (outcomes.length < cases.length) {
    const rest = cases.slice(outcomes.length);
    const run = spawnSync(program, { input: encodeCases(rest), maxBuffer: 1 << 30 });
    if (run.error && (run.signal === null || isTimeout(run.error))) throw run.error;
    if (run.status === 3) throw new Error(run.stderr.toString().trim());
    // Outcomes are buffered: those before a death may be missing, so narrow down one by one.
    const got = decodeOutcomes(run.stdout);
    outcomes.push(...got);
    if (got.length < rest.length && run.status !== 0) outcomes.push(...runAlone(rest[got.length]));
  }
  return outcomes;
}

function isTimeout(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ETIMEDOUT';
}

function runAlone(one: Case): Outcome[] {
  const run = spawnSync(program, { input: encodeCases([one]) });
  const got = decodeOutcomes(run.stdout);
  return got.length > 0 ? got : [DEAD];
}
