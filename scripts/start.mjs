// `npm start`: from a fresh clone to a guest's prompt on this terminal. Installs and builds where
// that is due, gets the guest (Debian's kernel; where that cannot be had, the project's own), then
// hands the terminal to vmi86. Words after `npm start --` go to vmi86; with --kernel among them no
// guest is fetched.

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildIfStale, installIfMissing, root } from './setup.mjs';

const COMMAND_LINE = 'console=ttyS0 tsc=reliable mitigations=off random.trust_cpu=on nokaslr';

const OWN_GUEST = 'guest/vmi-guest.elf';

installIfMissing();
buildIfStale();

const words = process.argv.slice(2);
const given = (...names) =>
  words.some((word) => names.some((name) => word === name || word.startsWith(`${name}=`)));

if (!given('--kernel', '-kernel', '--help', '-h', '--version')) {
  const guest = await obtainGuest();
  words.unshift('--kernel', guest.kernel);
  if (guest.initrd && !given('--initrd', '-initrd')) words.unshift('--initrd', guest.initrd);
  if (guest.initrd && !given('--append', '-append')) {
    words.unshift('--append', COMMAND_LINE + (given('--disk') ? ' disk' : ''));
  }
  if (!given('--memory', '-m')) words.unshift('--memory', '256');
  console.error(`vmi86: booting ${guest.name}; Ctrl-A x quits\n`);
}

// A process of its own: the terminal's mode is then one program's business. Signals that the
// terminal sends reach both; this one waits for the other's status.
const child = spawn(process.execPath, [join(root, 'dist', 'vmi86.js'), ...words], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}
child.on('exit', (status, signal) => {
  if (signal) spawnSync('stty', ['sane'], { stdio: ['inherit', 'ignore', 'ignore'] });
  process.exitCode = status ?? 1;
  process.removeAllListeners();
});

async function obtainGuest() {
  // Only now: without node_modules there was no esbuild to load it with.
  const { load } = await import('./typescript.mjs');
  const { debianGuest, GuestUnavailable } = await load('guests/debian.ts');
  try {
    return await debianGuest({ root, progress: (line) => console.error(`guest: ${line}`) });
  } catch (error) {
    if (!(error instanceof GuestUnavailable)) throw error;
    // The project's own guest shows what VMI is; a kernel and its userland must come from elsewhere.
    console.error(error.message);
    return { name: "the project's own VMI kernel instead", kernel: join(root, OWN_GUEST) };
  }
}
