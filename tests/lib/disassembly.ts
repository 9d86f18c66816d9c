/** Guest code for reading, in reports of failures. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from './commands.ts';

/** 32-bit code as text, by whichever disassembler there is. */
export function disassembly(code: Uint8Array, origin: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'vmi86-'));
  try {
    const file = join(folder, 'code');
    writeFileSync(file, code);
    const nasm = spawnSync('ndisasm', ['-b', '32', '-o', `0x${origin.toString(16)}`, file]);
    if (nasm.status === 0) return nasm.stdout.toString().trimEnd();
    const tool = [
      '-D',
      '-b',
      'binary',
      '-m',
      'i386',
      `--adjust-vma=0x${origin.toString(16)}`,
      file,
    ];
    const objdump = spawnSync('objdump', tool);
    if (objdump.status === 0)
      return objdump.stdout.toString().split('\n').slice(7).join('\n').trimEnd();
    return '(install nasm or binutils for a disassembly)';
  } finally {
    rmSync(folder, { recursive: true });
  }
}
