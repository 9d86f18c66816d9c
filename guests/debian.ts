// The guest: Debian's own i386 kernel and an initramfs around Debian's static busybox, kept in
// .cache/guest. Tests, bench and `npm start` all come here for them.
// Owns the cache folder and the choice of packages; apt.ts fetches, initramfs.ts builds.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Apt, type Package, type Progress } from './apt';
import { initramfs } from './initramfs';
import { insertionOrder, moduleName } from './modules';

export interface Guest {
  /** Files to pass as --kernel and --initrd. */
  kernel: string;
  initrd: string;
  /** Debian's busybox for i386, which also runs natively on an x86 Linux; absent for a guest given by environment. */
  busybox?: string;
  /** For people and reports: "Debian linux-image-6.1.0-50-686 6.1.176-1". */
  name: string;
}

/** A guest cannot be had here; the message is two lines that say why and what to do. */
export class GuestUnavailable extends Error {}

/** Release to fall back on: the last of Debian with a kernel for i386. */
const LAST_RELEASE = 'bookworm';
/** The non-PAE flavour: Debian's smallest common denominator, i686 without NX. */
const KERNEL_PACKAGE = 'linux-image-686';
/** What --disk needs: IDE, disks, and the file system that also mounts ext2 and ext3. */
const MODULES = ['ata_piix', 'sd_mod', 'crc32c_generic', 'ext4'];

const REMEDY =
  'Pass a kernel yourself: npm start -- --kernel bzImage --initrd initrd.gz (or set VMI86_KERNEL and VMI86_INITRD).';

/** Paths of the guest's files, from the environment, the cache, or newly fetched. */
export async function debianGuest(options: { root: string; progress?: Progress }): Promise<Guest> {
  return (
    cachedGuest(options.root) ??
    override(await buildGuest(options.root, options.progress ?? noProgress))
  );
}

/** The guest if it is at hand without a download. */
export function cachedGuest(root: string): Guest | undefined {
  const { VMI86_KERNEL: kernel, VMI86_INITRD: initrd } = process.env;
  if (kernel && initrd) return { kernel, initrd, name: kernel };
  const guest = cached(root);
  return guest && override(guest);
}

/** VMI86_KERNEL or VMI86_INITRD alone replaces that one file. */
function override(guest: Guest): Guest {
  const { VMI86_KERNEL: kernel, VMI86_INITRD: initrd } = process.env;
  if (!kernel && !initrd) return guest;
  return {
    kernel: kernel || guest.kernel,
    initrd: initrd || guest.initrd,
    name: kernel || guest.name,
  };
}

function cached(root: string): Guest | undefined {
  const folder = guestFolder(root);
  const manifest = join(folder, 'guest.json');
  if (!existsSync(manifest)) return undefined;
  const { name, recipe } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    name: string;
    recipe: string;
  };
  const guest = files(folder, name);
  if (recipe !== RECIPE) rebuild(folder, name);
  return guest;
}

async function buildGuest(root: string, progress: Progress): Promise<Guest> {
  if (!(await Apt.available())) {
    throw new GuestUnavailable(
      `The guest comes from Debian packages, and there is no apt-get here to fetch them.\n${REMEDY}`,
    );
  }
  const folder = guestFolder(root);
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const apt = await Apt.open(join(work, 'apt'), progress);
    const { kernel, busybox } = await findPackages(apt);
    await apt.unpack(busybox, join(work, 'busybox'));
    await apt.unpack(kernel, join(work, 'linux'));
    progress('building the initramfs');
    const name = `Debian ${kernel.name} ${kernel.version}`;
    collect(work);
    rmSync(join(work, 'apt'), { recursive: true });
    rebuild(work, name);
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
    progress(`${name} is ready`);
    return files(folder, name);
  } catch (error) {
    if (error instanceof GuestUnavailable) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new GuestUnavailable(`The guest could not be fetched: ${reason}\n${REMEDY}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function findPackages(apt: Apt): Promise<{ kernel: Package; busybox: Package }> {
  const find = async (): Promise<{ kernel: Package; busybox: Package } | undefined> => {
    const meta = await apt.find(KERNEL_PACKAGE);
    const name = /\blinux-image-\S+-686\b/.exec(meta?.depends ?? '')?.[0];
    const kernel = name && (await apt.find(name));
    const busybox = await apt.find('busybox-static');
    return kernel && busybox ? { kernel, busybox } : undefined;
  };
  let packages = await find();
  if (!packages) {
    await apt.useRelease(LAST_RELEASE);
    packages = await find();
  }
  if (packages) return packages;
  throw new GuestUnavailable(
    `apt-get's sources here have no ${KERNEL_PACKAGE} and busybox-static for i386.\n${REMEDY}`,
  );
}

/** Keeps of the unpacked packages what a guest needs: kernel, busybox, the modules of MODULES. */
function collect(work: string): void {
  const boot = join(work, 'linux', 'boot');
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'));
  if (!image) throw new Error('the kernel package holds no vmlinuz');
  renameSync(join(boot, image), join(work, 'kernel'));
  renameSync(join(work, 'busybox', 'bin', 'busybox'), join(work, 'busybox.i386'));
  const tree = join(work, 'linux', 'lib', 'modules');
  const paths = new Map<string, string>();
  for (const entry of readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    if (entry.endsWith('.ko')) paths.set(moduleName(entry), join(tree, entry));
  }
  const read = (name: string): Buffer | undefined => {
    const path = paths.get(name);
    return path && existsSync(path) ? readFileSync(path) : undefined;
  };
  mkdirSync(join(work, 'modules'));
  const order = insertionOrder(MODULES, read);
  for (const name of order) writeFileSync(join(work, 'modules', `${name}.ko`), read(name)!);
  writeFileSync(join(work, 'modules', 'order'), order.join('\n') + '\n');
  rmSync(join(work, 'linux'), { recursive: true });
  rmSync(join(work, 'busybox'), { recursive: true });
}

/** The initramfs from what collect() kept: again whenever the project's own recipe changed. */
function rebuild(folder: string, name: string): void {
  const order = readFileSync(join(folder, 'modules', 'order'), 'utf8')
    .split('\n')
    .filter(Boolean);
  const modules = order.map((module) => ({
    name: module,
    data: readFileSync(join(folder, 'modules', `${module}.ko`)),
  }));
  const initrd = initramfs(readFileSync(join(folder, 'busybox.i386')), modules);
  const temporary = join(folder, `initrd.${process.pid}`);
  writeFileSync(temporary, initrd);
  renameSync(temporary, join(folder, 'initrd.gz'));
  writeFileSync(join(folder, 'guest.json'), JSON.stringify({ name, recipe: RECIPE }) + '\n');
}

// A tiny archive is the fingerprint of the recipe: it has everything but the packages' bytes.
const RECIPE = createHash('sha256')
  .update(
    initramfs(
      Buffer.from('\0[\0[[\0\0'),
      MODULES.map((name) => ({ name, data: new Uint8Array() })),
    ),
  )
  .digest('hex');

function files(folder: string, name: string): Guest {
  return {
    kernel: join(folder, 'kernel'),
    initrd: join(folder, 'initrd.gz'),
    busybox: join(folder, 'busybox.i386'),
    name,
  };
}

function guestFolder(root: string): string {
  return join(root, '.cache', 'guest');
}

function noProgress(): void {}
