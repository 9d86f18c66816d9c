// `node scripts/build-guest.mjs`: builds guest/ with gcc -m32 into guest/vmi-guest.elf, the copy that
// is committed so that nobody needs a compiler, and guest/vmi-guest.json, which says what it was
// built with. The same compiler and linker give the same bytes (tests/guest/build.test.ts).

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const folder = fileURLToPath(new URL('../guest', import.meta.url));
export const imagePath = join(folder, 'vmi-guest.elf');
export const recordPath = join(folder, 'vmi-guest.json');

const LINKER_SCRIPT = 'guest.ld.S';

const CFLAGS = [
  ...['-m32', '-march=i586', '-Os', '-std=gnu11', '-Wall', '-Wextra', '-Werror'],
  // A kernel: no library, no PIC, no code that needs a stack guard, unwinding or the FPU.
  ...['-ffreestanding', '-fno-pie', '-fno-stack-protector', '-fcf-protection=none'],
  ...['-fno-asynchronous-unwind-tables', '-mgeneral-regs-only', '-mpreferred-stack-boundary=2'],
  // The calling convention of VMI's calls, for everything.
  '-mregparm=3',
  ...['-fno-strict-aliasing', '-fno-common'],
];
const LDFLAGS = [
  ...['-m', 'elf_i386', '-nostdlib', '-s', '--build-id=none', '--no-warn-rwx-segments'],
  ...['-z', 'noexecstack', '-z', 'max-page-size=4096'],
];

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** All sources by their path in guest/, in an order that does not depend on the file system. */
function sources() {
  const inFolder = (path) =>
    readdirSync(join(folder, path)).map((name) => (path ? `${path}/${name}` : name));
  return [...inFolder(''), ...inFolder('include')]
    .filter((path) => ['.c', '.S', '.h'].includes(extname(path)))
    .sort();
}

export function sourceHash() {
  const hash = createHash('sha256');
  for (const path of sources())
    hash.update(`${path}\0${readFileSync(join(folder, path), 'utf8')}\0`);
  return hash.digest('hex');
}

/** First lines of the tools' versions, or undefined where one is missing. */
export function tools() {
  try {
    const version = (tool) =>
      execFileSync(tool, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
        .split('\n')[0]
        .trim();
    return { gcc: version('gcc'), ld: version('ld') };
  } catch {
    return undefined;
  }
}

/** The image's bytes. */
export function buildImage() {
  const scratch = mkdtempSync(join(tmpdir(), 'vmi86-guest-'));
  const run = (tool, ...args) =>
    execFileSync(tool, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 120_000,
    });
  try {
    const objects = [];
    for (const path of sources()) {
      if (extname(path) === '.h' || path === LINKER_SCRIPT) continue;
      const object = join(scratch, `${basename(path, extname(path))}.o`);
      run('gcc', ...CFLAGS, '-c', path, '-o', object);
      objects.push(object);
    }
    const script = join(scratch, 'guest.ld');
    const image = join(scratch, 'image');
    run('gcc', '-m32', '-E', '-P', '-x', 'c', LINKER_SCRIPT, '-o', script);
    run('ld', ...LDFLAGS, '-T', script, '-o', image, ...objects);
    return readFileSync(image);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export function readRecord() {
  return JSON.parse(readFileSync(recordPath, 'utf8'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = tools();
  if (!found) {
    console.error('build-guest: gcc and ld are needed; on Debian: apt-get install gcc');
    process.exit(1);
  }
  const image = buildImage();
  const record = { ...found, source: sourceHash(), image: sha256(image) };
  writeFileSync(imagePath, image);
  writeFileSync(recordPath, `${JSON.stringify(record, null, 2)}\n`);
  console.error(`build-guest: ${imagePath}, ${image.length} bytes`);
}
