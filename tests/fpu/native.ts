/** Builds native.c and runs cases through it: what the processor under the tests does. */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { spawnSync } from '../lib/commands.ts';

/** Bytes of a case: image 108, EFLAGS 4, EAX 4, memory 108. */
export const CASE = 224;
export const IMAGE = 0;
export const EFLAGS = 108;
export const EAX = 112;
export const MEMORY = 116;

const source = fileURLToPath(new URL('./native.c', import.meta.url));
const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));
const program = `${artifacts}x87-native`;

let reason: string | null | undefined;

/** Why nothing can run natively here, or null. */
export function unavailable(): string | null {
  if (reason === undefined) reason = prepare();
  return reason;
}

function prepare(): string | null {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'ia32'))
    return 'not an x86 Linux host: nothing to compare the FPU with';
  if (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(artifacts, { recursive: true });
    const scratch = `${program}.${process.pid}`;
    const gcc = spawnSync('gcc', ['-m32', '-O1', '-static', '-o', scratch, source]);
    if (gcc.status !== 0) return 'gcc cannot build 32-bit programs here: install gcc-multilib';
    renameSync(scratch, program);
  }
  return spawnSync(program, { input: '' }).status === 0 ? null : '32-bit programs do not run here';
}

export interface Batch {
  /** The instruction; memory operands are [EDI]. */
  bytes: number[];
  /** CASE bytes each. */
  cases: Uint8Array;
}

/** Runs each batch's cases; the results have the cases' layout. */
export function runNative(batches: Batch[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const { bytes, cases } of batches) {
    const header = new Uint8Array(24);
    const view = new DataView(header.buffer);
    view.setUint32(0, bytes.length, true);
    header.set(bytes, 4);
    view.setUint32(20, cases.length / CASE, true);
    parts.push(header, cases);
  }
  const input = Buffer.concat(parts);
  const run = spawnSync(program, { input, maxBuffer: input.length + 1024 });
  if (run.status !== 0) throw new Error(`x87-native ended with ${run.status ?? run.signal}`);
  let at = 0;
  return batches.map(({ cases }) => {
    const result = new Uint8Array(run.stdout.subarray(at, at + cases.length));
    at += cases.length;
    return result;
  });
}
