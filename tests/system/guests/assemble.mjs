// Assembles the guests of this folder into the .img files beside them: `node assemble.mjs` after a
// change. The images are committed, so that the tests need no assembler.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const folder = fileURLToPath(new URL('.', import.meta.url));

export function names() {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.asm'))
    .map((file) => file.slice(0, -4));
}

/** Assembles one guest; throws when there is no nasm. */
export function assemble(name, output = join(folder, `${name}.img`)) {
  const words = ['-w-all', '-f', 'bin', `${name}.asm`, '-o', output];
  execFileSync('nasm', words, { cwd: folder, timeout: 60_000 });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const name of names()) assemble(name);
}
