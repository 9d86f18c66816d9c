// What the bench tells the program that has the browser (browser-child.ts), and is told.

export interface BrowserJob {
  executable: string;
  /** Which emulator the page has. */
  emulator: 'vmi86' | 'v86';
  /** Files by the path that the page asks for; folders end with a slash. */
  files: Record<string, string>;
  multiboot: boolean;
  initrd: boolean;
  append: string;
  /** MiB. */
  memory: number;
  jit: boolean;
}

/** A line on its output when the browser is up. */
export const PAGE_READY = 'page-ready';
