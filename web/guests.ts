/** The guests that can be booted: the embedded one, what the server offers, and what is dropped. */

import type { CreateOptions, Image } from '../host/embed/types';

export interface Guest {
  name: string;
  kernel: Image;
  initrd?: Image;
  disk?: Image;
  append?: string;
  /** What an earlier run of it has translated. */
  translations?: Image;
  /** MiB that it is comfortable with. */
  memory?: number;
  paravirt?: CreateOptions['paravirt'];
  /** What it prints when it is up: where a race ends. */
  ready: RegExp;
}

const PROMPT = /(# |guest> )(\x1b\[6n)?$/;

/** Whether the page was built with translations of the embedded guest (scripts/page.mjs). */
declare const VMI86_PAGE_TRANSLATIONS: boolean;

const EMBEDDED: Guest = {
  name: 'VMI guest (embedded)',
  kernel: 'guests/vmi-guest.elf',
  ...(VMI86_PAGE_TRANSLATIONS && { translations: 'guests/vmi-guest.vmi' }),
  memory: 64,
  ready: /GUEST-READY[^]*guest> $/,
};

/** An entry of guests.json, which `npm run web` makes of what `npm start` has cached. */
interface Listed {
  name: string;
  kernel: string;
  initrd?: string;
  append?: string;
  memory?: number;
}

export async function listGuests(): Promise<Guest[]> {
  const guests = [EMBEDDED];
  try {
    const response = await fetch('guests/guests.json');
    // A plain file server has no such file, and need not.
    const listed = response.ok ? ((await response.json()) as Listed[]) : [];
    guests.push(...listed.map((guest) => ({ ...guest, ready: PROMPT })));
  } catch {
    // Opened from where nothing can be fetched, the embedded guest says so itself.
  }
  return guests;
}

/** `?kernel=URL&initrd=URL&disk=URL&append=...`: a guest by its address. */
export function guestFromAddress(query: URLSearchParams): Guest | undefined {
  const kernel = query.get('kernel');
  if (!kernel) return undefined;
  const [initrd, disk, append] = ['initrd', 'disk', 'append'].map((name) => query.get(name));
  return {
    name: kernel.replace(/^.*\//, ''),
    kernel,
    ...(initrd && { initrd }),
    ...(disk && { disk }),
    append: append ?? 'console=ttyS0',
    ready: PROMPT,
  };
}

/** A guest of files that were dropped or chosen. */
export function guestFromFiles(files: { kernel: File; initrd?: File; disk?: File }): Guest {
  return {
    name: files.kernel.name,
    ...files,
    append: 'console=ttyS0',
    ready: PROMPT,
  };
}
