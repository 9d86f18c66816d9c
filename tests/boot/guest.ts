// Boots Debian's kernel in the built program. A test that finds no guest skips and says why.

import { cachedGuest } from '../../guests/debian';
import { Program, root } from '../cli/program';
import { COMMAND_LINE } from '../lib/command-line';

export const guest = cachedGuest(root);
if (!guest) console.warn('Boots are skipped: no guest; npm run pretest fetches it where it can.');

export { COMMAND_LINE };

export const TIERS = [
  ['JIT', []],
  ['interpreter', ['--no-jit']],
] as const;

/** Seconds a boot may take on a slow, busy machine. */
export const BOOT_LIMIT = 240;

/** The prompt, after which a command may be typed. */
export const PROMPT = /# (\x1b\[6n)?$/;

export function boot(options: readonly string[], words = ''): Program {
  const append = `${COMMAND_LINE} ${words}`.trim();
  const files = ['--kernel', guest!.kernel, '--initrd', guest!.initrd];
  return new Program([...files, '--append', append, '--memory', '256', ...options]);
}

/** A boot up to the prompt. */
export async function bootToPrompt(options: readonly string[], words = ''): Promise<Program> {
  const program = boot(options, words);
  await program.see(/GUEST-READY[^]*# (\x1b\[6n)?$/, BOOT_LIMIT);
  return program;
}

let serial = 0;

/** Types a command; resolves with what it printed. */
export async function command(program: Program, text: string, seconds = 120): Promise<string> {
  const number = ++serial;
  const start = program.output.length;
  // The sum keeps the marker out of what the terminal echoes.
  program.type(`${text}; echo "end-$((${number}))-$?"\n`);
  const end = new RegExp(`end-${number}-(\\d+)\\r?\\n[^]*# (\\x1b\\[6n)?$`);
  await program.see(end, seconds);
  const output = program.output.slice(start).replaceAll('\r', '');
  // After the echoed line, before the marker.
  return output.slice(output.indexOf('"\n') + 2, output.lastIndexOf(`end-${number}-`));
}
