// The small root file system that a guest kernel starts with: busybox under all its names, a
// few kernel modules, and an /init that leads to a shell on the console.
// Owns its contents; cpio.ts owns the archive format, debian.ts where the pieces come from.

import { gzipSync } from 'node:zlib';
import { cpio, type Entry } from './cpio';

export interface Module {
  name: string;
  data: Uint8Array;
}

/** What the serial line shows once the shell is about to start. */
export const READY = 'GUEST-READY';

// The modules are inserted only when asked for: they cost a plain boot nothing but their bytes.
// PATH has one folder because /sbin and /usr/bin are links to it. The shell gets a session and a
// controlling terminal of its own (setsid, cttyhack), or Ctrl-C and job control would not work.
const INIT = (modules: string[]) => `#!/bin/sh
export PATH=/bin HOME=/root TERM=vt100
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
read -r words < /proc/cmdline
case " $words " in
*" disk "*)
  for module in ${modules.join(' ')}; do insmod /lib/modules/$module.ko; done
  tries=0
  while [ ! -b /dev/sda ] && [ $tries -lt 50 ]; do tries=$((tries + 1)); usleep 100000; done
  [ -b /dev/sda ] && echo "disk: /dev/sda" || echo "disk: none found"
  ;;
esac
read -r _ _ release _ < /proc/version
echo "${READY} Linux $release, $(nproc) CPU; exit or poweroff -f ends"
cd /root
setsid cttyhack sh
umount -a -r 2> /dev/null
poweroff -f
`;

/** The archive, compressed with gzip at no particular time, so equal input gives equal bytes. */
export function initramfs(busybox: Uint8Array, modules: Module[]): Uint8Array {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const entries: Entry[] = [
    ...['bin', 'dev', 'etc', 'lib', 'lib/modules', 'mnt', 'proc', 'root', 'sys', 'tmp', 'usr'].map(
      (path): Entry => ({ kind: 'folder', path }),
    ),
    { kind: 'link', path: 'sbin', target: 'bin' },
    { kind: 'link', path: 'usr/bin', target: '../bin' },
    { kind: 'link', path: 'usr/sbin', target: '../bin' },
    // The kernel opens /dev/console for init before devtmpfs is mounted.
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'device', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, data: busybox },
    ...applets(busybox).map((name): Entry => ({
      kind: 'link',
      path: `bin/${name}`,
      target: 'busybox',
    })),
    { kind: 'file', path: 'etc/passwd', data: text('root:x:0:0:root:/root:/bin/sh\n') },
    { kind: 'file', path: 'etc/group', data: text('root:x:0:\n') },
    ...modules.map(({ name, data }): Entry => ({
      kind: 'file',
      path: `lib/modules/${name}.ko`,
      data,
    })),
    {
      kind: 'file',
      path: 'init',
      mode: 0o755,
      data: text(INIT(modules.map((module) => module.name))),
    },
  ];
  return gzipSync(cpio(entries), { level: 9 });
}

/**
 * The names a busybox binary answers to. They are read out of its own sorted table of names
 * ("[", "[[", "acpid", ... ending with an empty one), because the binary need not run here.
 */
export function applets(busybox: Uint8Array): string[] {
  const bytes = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.byteLength);
  const start = bytes.indexOf('\0[\0[[\0', 0, 'latin1');
  const end = start < 0 ? -1 : bytes.indexOf('\0\0', start + 1, 'latin1');
  if (end < 0) throw new Error('busybox: no table of applet names found in this binary');
  return bytes
    .toString('latin1', start + 1, end)
    .split('\0')
    .filter((name) => name !== 'busybox');
}
