// A Linux kernel with CONFIG_VMI, which cannot be shipped: VMI86_VMI_KERNEL and VMI86_VMI_INITRD name a
// bzImage and its initial root file system, which ends in a shell on the serial line.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpio } from '../guests/cpio';
import type { Image } from './engines';

/** What the kernel waits with. */
export const PROMPT = /# (\x1b\[6n)?$/;
/**
 * Tests of timers and of the TSC by kernels without the ROM are tests of the host's speed, too; a
 * kernel that trusts no TSC reads no clock at all in its scheduler.
 */
const COMMAND_LINE = 'console=ttyS0 no_timer_check tsc=reliable';
export const PROGRAM = '/vmi86-rows';

/** The command that does one of rows.c's loops so often. */
export function program(which: string, times: number): string {
  return `${PROGRAM} ${which} ${times}`;
}

/** The kernel with the programs in its file system; undefined: none is named. */
export function vmiKernel(root: string, folder: string): Required<Image> | undefined {
  const { VMI86_VMI_KERNEL: kernel, VMI86_VMI_INITRD: initrd } = process.env;
  if (!kernel || !initrd) return undefined;
  return { kernel, initrd: withPrograms(root, folder, initrd), append: COMMAND_LINE };
}

/** The initial root file system and an archive behind it, which Linux unpacks over it. */
function withPrograms(root: string, folder: string, initrd: string): string {
  const binary = join(folder, 'rows');
  const flags = ['-m32', '-march=i586', '-O2', '-static', '-nostdlib', '-ffreestanding'];
  const plain = ['-fno-pic', '-no-pie', '-fno-stack-protector', '-fcf-protection=none'];
  try {
    const source = join(root, 'bench', 'programs', 'rows.c');
    execFileSync('gcc', [...flags, ...plain, '-o', binary, source], { stdio: 'pipe' });
  } catch {
    throw new Error('gcc -m32 does not build bench/programs/rows.c; install gcc-multilib');
  }
  const first = readFileSync(initrd);
  const added = cpio([
    { kind: 'file', path: PROGRAM.slice(1), mode: 0o755, data: readFileSync(binary) },
  ]);
  // An archive begins at a multiple of four bytes.
  const padded = Buffer.alloc(Math.ceil(first.length / 512) * 512);
  first.copy(padded);
  const file = join(folder, 'initrd');
  writeFileSync(file, Buffer.concat([padded, added]));
  return file;
}
