// The engines that are compared: how each is started, and whether it is here at all.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { applets } from '../guests/initramfs';
import type { Guest } from '../guests/debian';
import { browserEngines } from './browser';
import { statisticsOf, type Statistics } from './process';
import { Session } from './session';
import { upkeep, type Upkeep } from './upkeep';

/** A system to boot. */
export interface Image {
  kernel: string;
  initrd: string;
  /** Its command line, where it wants another than Debian's kernel. */
  append?: string;
}

export interface Engine {
  key: string;
  title: string;
  /** Why it cannot take part, or undefined. */
  missing?: string;
  /**
   * A guest on its way to the prompt; the native engine, which boots none, is at the prompt of the Debian guest's
   * shell at once. Absent without that guest.
   */
  boot?: ((image: Image) => Session) | undefined;
  /** The same, with what the last such session translated; leaves its own at SIGTERM. */
  bootSaving?: (() => Session) | undefined;
  /** The guest of the micro-benchmarks (micro.ts). */
  micro(): Session;
  /** Runs programs, not machines: nothing boots, and of the micro-benchmarks those alone take part that need none. */
  computesOnly?: boolean;
  /**
   * Takes part in whole systems in the first repetition alone: a minute and a half a time, and no target is about it.
   */
  onceWhole?: boolean;
  /** Has work to do while its guest waits at the prompt, a quarter of a core: other engines wait until it is gone. */
  restless?: boolean;
  /** Each micro-benchmark is run three times, to see what warming up costs. */
  warmsUp?: boolean;
  /** Guest instructions retired so far by a session, where the engine counts them. */
  instructions?(session: Session): Promise<number>;
  /** What the session has cost besides the time of its rows; undefined where that cannot be told. */
  upkeep?(session: Session): Promise<Upkeep | undefined>;
}

/** MiB. */
const MEMORY = 512;
const COMMAND_LINE = 'console=ttyS0 tsc=reliable mitigations=off random.trust_cpu=on nokaslr';
const BIOS_FOLDER = '/usr/share/seabios';

export interface Setting {
  root: string;
  /** Undefined where no row needs one. */
  guest: Guest | undefined;
  /** Where bench/v86-child.ts was bundled to. */
  v86Child: string;
  /** Where bench/browser-child.ts was bundled to. */
  browserChild: string;
  /** With the engines in Chromium. */
  browser: boolean;
  /** Node programs that the JIT runs in besides. */
  nodes: readonly string[];
  /** For files of the bench's own. */
  folder: string;
}

interface Context extends Setting {
  microImage: string;
}

export function engines(setting: Setting): Engine[] {
  const microImage = join(setting.root, 'bench', 'guests', 'micro.elf');
  const context = { ...setting, microImage };
  return [
    vmi86(context, 'interpreter', 'interpreter', ['--no-jit']),
    vmi86(context, 'jit', 'JIT', []),
    ...setting.nodes.map((node) => inNode(context, node)),
    v86(context),
    qemu(context),
    native(context),
    ...(setting.browser
      ? browserEngines(setting, setting.browserChild, {
          memory: MEMORY,
          append: COMMAND_LINE,
          microImage,
        })
      : []),
  ];
}

/** The JIT in another Node; `node-24` is its key. */
function inNode(context: Context, node: string): Engine {
  let version;
  try {
    version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error(`--node ${node}: does not run; give the path of a Node program`);
  }
  const major = /^v(\d+)/.exec(version)?.[1];
  if (!major)
    throw new Error(`--node ${node}: is no Node: it calls itself ${version.split('\n')[0]}`);
  return { ...vmi86(context, `node-${major}`, `(Node ${major})`, [], node), warmsUp: true };
}

function vmi86(
  context: Context,
  key: string,
  title: string,
  options: string[],
  node = process.execPath,
): Engine {
  const { guest, microImage } = context;
  const program = join(context.root, 'dist', 'vmi86.js');
  const stats = join(context.folder, `${key}.json`);
  const memory = ['--memory', String(MEMORY), '--stats', stats];
  const start = (args: string[]): Session =>
    new Session(node, [program, ...options, ...memory, ...args]);
  const counts = (session: Session): Promise<Statistics> => statisticsOf(session.pid!, stats);
  return {
    key,
    title,
    missing: existsSync(program) ? undefined : 'dist/vmi86.js is not built: npm run build',
    boot: ({ kernel, initrd, append = COMMAND_LINE }) =>
      start(['--kernel', kernel, '--initrd', initrd, '--append', append]),
    ...(guest &&
      key === 'jit' && {
        bootSaving: () => {
          const { kernel, initrd } = guest;
          const saved = join(context.folder, 'translations');
          return start([
            ...['--kernel', kernel, '--initrd', initrd, '--append', COMMAND_LINE],
            ...['--translations', saved],
          ]);
        },
      }),
    micro: () => start(['--kernel', microImage]),
    warmsUp: key === 'jit',
    onceWhole: key === 'interpreter',
    instructions: async (session) => (await counts(session)).instructions.total,
    ...(key === 'jit' && {
      upkeep: async (session) => upkeep(session.pid!, MEMORY, (await counts(session)).translator!),
    }),
  };
}

function v86(context: Context): Engine {
  const { microImage } = context;
  const bios = join(BIOS_FOLDER, 'bios.bin');
  const vgaBios = join(BIOS_FOLDER, 'vgabios-stdvga.bin');
  const start = (image: Partial<Image> & { multiboot?: boolean }): Session => {
    const options = { append: COMMAND_LINE, ...image, memory: MEMORY, bios, vgaBios };
    return new Session(process.execPath, [context.v86Child, JSON.stringify(options)]);
  };
  return {
    key: 'v86',
    title: 'v86',
    missing: !existsSync(context.v86Child)
      ? 'the npm package v86 is not installed: npm ci'
      : !existsSync(bios) || !existsSync(vgaBios)
        ? `no BIOS images in ${BIOS_FOLDER}: install the package seabios`
        : undefined,
    boot: ({ kernel, initrd, append }) => start({ kernel, initrd, ...(append && { append }) }),
    micro: () => start({ kernel: microImage, multiboot: true }),
    restless: true,
  };
}

function qemu(context: Context): Engine {
  const program = 'qemu-system-i386';
  const { microImage } = context;
  const common = ['-accel', 'tcg,thread=single', '-m', String(MEMORY)];
  const start = (cpu: string, args: string[]): Session =>
    new Session(program, [...common, '-cpu', cpu, '-nographic', '-no-reboot', ...args]);
  return {
    key: 'qemu',
    title: 'QEMU TCG',
    missing: runs(program, ['--version']) ? undefined : `${program} is not installed`,
    boot: ({ kernel, initrd, append = COMMAND_LINE }) =>
      start('pentium3', ['-kernel', kernel, '-initrd', initrd, '-append', append]),
    micro: () => start('pentium3,+sse2', ['-kernel', microImage]),
  };
}

/** The guest's own busybox on the processor: what the guest could have at best. */
function native(context: Context): Engine {
  const busybox = context.guest?.busybox;
  // A copy, in case the checkout lost the mode.
  const microImage = join(context.folder, 'micro-linux.elf');
  copyFileSync(join(context.root, 'bench', 'guests', 'micro-linux.elf'), microImage);
  chmodSync(microImage, 0o755);
  return {
    key: 'native',
    title: 'native',
    missing: runs(microImage, []) ? undefined : 'this system does not run i386 Linux programs',
    boot:
      busybox === undefined || !runs(busybox, ['true'])
        ? undefined
        : () => {
            const bin = join(context.folder, 'bin');
            if (!existsSync(bin)) {
              mkdirSync(bin);
              for (const name of ['busybox', ...applets(readFileSync(busybox))]) {
                symlinkSync(busybox, join(bin, name));
              }
            }
            return new Session(join(bin, 'sh'), [], {
              PATH: bin,
              BIN: bin,
              TMPDIR: context.folder,
            });
          },
    micro: () => new Session(microImage, []),
    computesOnly: true,
  };
}

function runs(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
