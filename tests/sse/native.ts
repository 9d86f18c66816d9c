/** Single instructions on the processor under the tests: builds and runs tests/native/sse/kernel.c. */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { arch, pid, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { spawnSync } from '../lib/commands.ts';

const source = fileURLToPath(new URL('../native/sse/kernel.c', import.meta.url));
const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));
const program = `${artifacts}sse-kernel`;

/** Bytes of struct in and struct out. */
export const IN_SIZE = 80;
export const OUT_SIZE = 88;

/** Why nothing can be compared here, or null. */
export function unavailable(): string | null {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'ia32')) return 'not an x86 Linux host';
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return null;
  mkdirSync(artifacts, { recursive: true });
  const scratch = `${program}.${pid}`;
  const gcc = spawnSync('gcc', ['-m32', '-O1', '-static', '-no-pie', '-o', scratch, source]);
  if (gcc.status !== 0) return 'gcc with 32-bit support (gcc-multilib) is not installed';
  renameSync(scratch, program);
  return spawnSync(program, { input: '' }).status === 0 ? null : '32-bit programs do not run here';
}

/** Runs one instruction on each input record. */
export function runNative(code: number[], inputs: Uint8Array): Uint8Array {
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint32(0, code.length, true);
  header.set(code, 4);
  view.setUint32(20, inputs.length / IN_SIZE, true);
  const run = spawnSync(program, { input: Buffer.concat([header, inputs]), maxBuffer: 1 << 28 });
  const expected = (inputs.length / IN_SIZE) * OUT_SIZE;
  if (run.stdout.length !== expected) throw new Error(`the native program died: ${run.signal}`);
  return run.stdout;
}
