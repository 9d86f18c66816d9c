// What is measured: one row a line of the table. A row is a shell command typed at the guest's
// prompt; the files it reads are made before, untimed, by PREPARE.

import { program } from './vmi-kernel';

export interface Row {
  name: string;
  /** Typed at the prompt; its output goes to the serial line and is compared between engines. */
  command: string;
}

export const BOOT = 'boot to prompt';
/** With what a first boot, which is not timed, has left. */
export const SECOND_BOOT = 'second boot, saved translations';

/** What is timed is one short word: a serial line carries a thousand characters a second. */
export const DEFINE = 't() { r; echo; echo "done-$1-"; }';
/** Six MiB of binaries, eight of zeros, forty thousand numbers. */
export const PREPARE = [
  DEFINE,
  'cd /tmp',
  'dd if=/dev/zero of=zeros bs=1M count=8 2>/dev/null',
  'cat $(which busybox) $(which busybox) $(which busybox) $(which busybox) | head -c 6291456 > binaries',
  "awk 'BEGIN{x=1;for(i=0;i<40000;i++){x=(x*16807)%2147483647;print x}}' > numbers",
].join('; ');

export const ROWS: Row[] = [
  { name: 'sha256sum, 8 MiB', command: 'sha256sum zeros' },
  { name: 'md5sum, 8 MiB', command: 'md5sum zeros' },
  { name: 'gzip, 8 MiB of zeros', command: 'gzip -c zeros | wc -c' },
  { name: 'bzip2, 6 MiB of binaries', command: 'bzip2 -c binaries | wc -c' },
  { name: 'gzip, 6 MiB of binaries', command: 'gzip -c binaries | wc -c' },
  {
    name: 'awk, 300,000 divisions',
    command: "awk 'BEGIN{x=0;for(i=1;i<=300000;i++)x+=1/i;print x}'",
  },
  {
    name: 'sh, counting to 60,000',
    command: 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo $i',
  },
  {
    name: 'fork and exec, 300 times',
    command: 'i=0; while [ $i -lt 300 ]; do $BIN/true; i=$((i+1)); done; echo $i',
  },
  {
    name: 'dd, 200,000 times one byte',
    command: 'dd if=/dev/zero bs=1 count=200000 2>/dev/null | wc -c',
  },
  { name: 'sort, 40,000 numbers', command: 'sort -n numbers | md5sum' },
];

/** On a kernel with VMI, where one is named: what it asks its hypervisor for most. */
export const VMI_BOOT = 'VMI kernel: boot to prompt';
export const VMI_ROWS: Row[] = [
  {
    name: 'VMI kernel: getpid, 1,000,000 times',
    command: `${program('getpid', 1_000_000)}; echo $?`,
  },
  { name: 'VMI kernel: fork and exec, 1,500 times', command: `${program('fork', 1500)}; echo $?` },
  {
    name: 'VMI kernel: through a pipe and back, 30,000 times',
    command: `${program('pipe', 30_000)}; echo $?`,
  },
  { name: 'VMI kernel: page faults, 200,000', command: `${program('fault', 200_000)}; echo $?` },
  {
    name: 'VMI kernel: context switches, 100,000',
    command: `${program('switch', 100_000)}; echo $?`,
  },
];
