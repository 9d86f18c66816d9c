// `node scripts/build-micro.mjs`: builds bench/guests/ with gcc -m32 into micro.elf, the bare guest
// of the micro-benchmarks, and micro-linux.elf, the same rows as a program for the processor itself;
// both are committed so that nobody needs a compiler, with micro.json, which says what they were
// built with. The same compiler and linker give the same bytes (tests/bench/build.test.ts).

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tools } from './build-guest.mjs';

export { tools };

export const folder = fileURLToPath(new URL('../bench/guests', import.meta.url));
export const IMAGES = ['micro.elf', 'micro-linux.elf'];
const recordPath = join(folder, 'micro.json');

const CFLAGS = [
  // What distributions for i386 compile for.
  ...['-m32', '-march=i686', '-mtune=generic', '-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror'],
  ...['-ffreestanding', '-fno-pie', '-fno-stack-protector', '-fcf-protection=none'],
  ...['-fno-asynchronous-unwind-tables', '-fno-math-errno', '-fno-common'],
  // Loops stay loops: there is no memcpy to call, and copy_by_loop is to be one.
  ...['-fno-tree-loop-distribute-patterns', '-fno-tree-vectorize'],
];
/** Where a source wants other floating point. */
const MORE = { 'sse2.c': ['-msse2', '-mfpmath=sse'] };
const LDFLAGS = [
  ...['-m', 'elf_i386', '-nostdlib', '-s', '--build-id=none', '--no-warn-rwx-segments'],
  ...['-z', 'noexecstack', '-z', 'max-page-size=4096'],
];
/** Sources of one image alone. */
const ONLY = {
  'micro.elf': ['start.S', 'machine.c'],
  'micro-linux.elf': ['linux.c'],
};

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** In an order that does not depend on the file system. */
function sources() {
  return readdirSync(folder)
    .filter((name) => ['.c', '.S', '.h', '.ld'].includes(extname(name)))
    .sort();
}

export function sourceHash() {
  const hash = createHash('sha256');
  for (const name of sources())
    hash.update(`${name}\0${readFileSync(join(folder, name), 'utf8')}\0`);
  return hash.digest('hex');
}

/** The images' bytes, in the order of IMAGES. */
export function buildImages() {
  const scratch = mkdtempSync(join(tmpdir(), 'vmi86-micro-'));
  const run = (tool, ...args) =>
    execFileSync(tool, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 120_000,
    });
  try {
    const code = sources().filter((name) => ['.c', '.S'].includes(extname(name)));
    for (const name of code)
      run('gcc', ...CFLAGS, ...(MORE[name] ?? []), '-c', name, '-o', join(scratch, `${name}.o`));
    return IMAGES.map((image) => {
      const others = IMAGES.filter((other) => other !== image).flatMap((other) => ONLY[other]);
      const objects = code
        .filter((name) => !others.includes(name))
        .map((name) => join(scratch, `${name}.o`));
      const layout = image === 'micro.elf' ? ['-T', 'machine.ld'] : ['-static'];
      run('ld', ...LDFLAGS, ...layout, '-o', join(scratch, image), ...objects);
      return readFileSync(join(scratch, image));
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export function readRecord() {
  return JSON.parse(readFileSync(recordPath, 'utf8'));
}

/** What micro.json says of these images. */
export function imageHashes(images) {
  return Object.fromEntries(IMAGES.map((name, i) => [name, sha256(images[i])]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = tools();
  if (!found) {
    console.error('build-micro: gcc and ld are needed; on Debian: apt-get install gcc-multilib');
    process.exit(1);
  }
  let images;
  try {
    images = buildImages();
  } catch (error) {
    // What is wrong, gcc has said.
    console.error(`build-micro: ${error.message.split('\n')[0]}`);
    process.exit(1);
  }
  const record = { ...found, source: sourceHash(), images: imageHashes(images) };
  IMAGES.forEach((name, i) => {
    writeFileSync(join(folder, name), images[i], { mode: 0o755 });
    console.error(`build-micro: bench/guests/${name}, ${images[i].length} bytes`);
  });
  writeFileSync(recordPath, `${JSON.stringify(record, null, 2)}\n`);
}
