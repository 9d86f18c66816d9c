// The engines of `npm run bench -- --browser`: vmi86 and v86, each in a page of the same Chromium.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_READY, type BrowserJob } from './browser-job';
import type { Engine, Setting } from './engines';
import { Session } from './session';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const BIOS_FOLDER = '/usr/share/seabios';

interface Common {
  memory: number;
  append: string;
  microImage: string;
}

export function browserEngines(setting: Setting, child: string, common: Common): Engine[] {
  const executable = process.env['VMI86_CHROMIUM'] ?? PLACES.find((path) => existsSync(path));
  const missing = executable ? undefined : 'no Chromium here: apt-get install chromium';
  const engine = (
    key: string,
    title: string,
    job: Pick<BrowserJob, 'emulator' | 'jit'>,
    files: Record<string, string>,
    lacks?: string,
  ): Engine => {
    const start = (
      more: Pick<BrowserJob, 'multiboot' | 'initrd' | 'files'>,
      append = common.append,
    ): Session => {
      const { memory } = common;
      const all: BrowserJob = { executable: executable!, memory, append, ...job, ...more };
      all.files = { ...files, ...more.files };
      const session = new Session(process.execPath, [child, JSON.stringify(all)]);
      session.startAt(`${PAGE_READY}\n`);
      return session;
    };
    return {
      key,
      title,
      ...((missing ?? lacks) && { missing: missing ?? lacks }),
      boot: ({ kernel, initrd, append }) =>
        start(
          { multiboot: false, initrd: true, files: { '/kernel': kernel, '/initrd': initrd } },
          append,
        ),
      micro: () =>
        start({ multiboot: true, initrd: false, files: { '/kernel': common.microImage } }),
      restless: true,
      onceWhole: !job.jit,
    };
  };
  const dist = join(setting.root, 'dist');
  const bios = join(BIOS_FOLDER, 'bios.bin');
  const vgaBios = join(BIOS_FOLDER, 'vgabios-stdvga.bin');
  return [
    engine(
      'chromium-interpreter',
      'interp. (Chr.)',
      { emulator: 'vmi86', jit: false },
      { '/vmi86/': `${dist}/` },
    ),
    engine('chromium', 'JIT (Chr.)', { emulator: 'vmi86', jit: true }, { '/vmi86/': `${dist}/` }),
    engine(
      'chromium-v86',
      'v86 (Chr.)',
      { emulator: 'v86', jit: true },
      {
        '/v86/': `${join(setting.root, 'node_modules/v86/build')}/`,
        '/bios.bin': bios,
        '/vgabios.bin': vgaBios,
      },
      existsSync(bios)
        ? undefined
        : `no BIOS images in ${BIOS_FOLDER}: install the package seabios`,
    ),
  ];
}
