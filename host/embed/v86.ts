/**
 * v86's interface over a machine, as far as a guest that boots from a kernel needs it: programs
 * written for v86 can try this emulator by changing an import. What is not listed here is not there,
 * and asking for it throws. docs/embedding.md has the list for people.
 */

import { VmError } from './errors';
import type { CreateOptions, Image, Progress, VirtualMachine } from './types';

/** A file as v86 takes it. */
export interface V86Image {
  url?: string;
  buffer?: ArrayBuffer | Uint8Array | Blob;
  /** Accepted and without effect: everything is loaded at the start. */
  async?: boolean;
  size?: number;
}

export interface V86Options {
  /** Bytes of memory; 64 MiB without it. */
  memory_size?: number;
  bzimage?: V86Image;
  /** A multiboot kernel. */
  multiboot?: V86Image;
  initrd?: V86Image;
  cmdline?: string;
  hda?: V86Image;
  autostart?: boolean;
  disable_jit?: boolean | number;
  /** Where core.wasm is. */
  wasm_path?: string;
  /** An element with a `div` in it, which gets the text screen as its text. */
  screen_container?: V86Container | null;
  /** Of no effect: there is no BIOS, no sound, no video memory, and there are no such devices. */
  bios?: V86Image;
  vga_bios?: V86Image;
  vga_memory_size?: number;
  acpi?: boolean;
  disable_keyboard?: boolean;
  disable_mouse?: boolean;
  disable_speaker?: boolean;
}

/** As much of an element as is needed. */
export interface V86Container {
  getElementsByTagName(name: string): ArrayLike<{ textContent: string | null }>;
}

export interface V86Events {
  'emulator-loaded': void;
  'emulator-ready': void;
  'emulator-started': void;
  'emulator-stopped': void;
  /** One byte of the first serial port. */
  'serial0-output-byte': number;
  'download-progress': {
    file_name: string;
    file_index: number;
    file_count: number;
    lengthComputable: boolean;
    loaded: number;
    total: number;
  };
  'download-error': { file_name: string; message: string };
}

const SUPPORTED = [
  ...['memory_size', 'bzimage', 'multiboot', 'initrd', 'cmdline', 'hda', 'autostart'],
  ...['disable_jit', 'wasm_path', 'screen_container'],
];
const WITHOUT_EFFECT = [
  ...['bios', 'vga_bios', 'vga_memory_size', 'acpi'],
  ...['disable_keyboard', 'disable_mouse', 'disable_speaker'],
];

const MIB = 2 ** 20;
const MEMORY_DEFAULT = 64 * MIB;
const MEMORY_MIN = 16;
const SCREEN_MILLISECONDS = 100;

type Create = (options: CreateOptions) => Promise<VirtualMachine>;
type Listener<Name extends keyof V86Events> = (event: V86Events[Name]) => void;

/** The class that the entries v86-node.ts and v86-browser.ts give a way to make machines. */
export class V86Base {
  private readonly listeners = new Map<string, Set<(event: never) => void>>();
  private readonly machine: Promise<VirtualMachine>;
  private made: VirtualMachine | undefined;
  private waiting: string[] = [];
  private destroyed = false;
  private painting = false;

  protected constructor(
    private readonly options: V86Options,
    create: Create,
  ) {
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined || value === null || WITHOUT_EFFECT.includes(name)) continue;
      if (!SUPPORTED.includes(name)) {
        throw new VmError(
          'option',
          `V86: the option ${name} is not supported; there are ${SUPPORTED.join(', ')}`,
        );
      }
    }
    const files = (['bzimage', 'multiboot', 'initrd', 'hda'] as const).filter(
      (name) => options[name],
    );
    const kernel = image(options.bzimage ?? options.multiboot);
    if (kernel === undefined) {
      throw new VmError('option', 'V86: give bzimage or multiboot; booting a disk needs a BIOS');
    }
    const { initrd, hda, cmdline, memory_size: memory = MEMORY_DEFAULT, wasm_path } = options;
    // Listeners that are added after the constructor hear of everything.
    this.machine = Promise.resolve().then(() =>
      create({
        kernel,
        memory: Math.max(MEMORY_MIN, Math.floor(memory / MIB)),
        jit: !options.disable_jit,
        ...(initrd && { initrd: image(initrd)! }),
        ...(hda && { disk: image(hda)! }),
        ...(cmdline !== undefined && { append: cmdline }),
        ...(wasm_path !== undefined && { core: wasm_path }),
        on: {
          progress: (progress) => this.progress(progress, files),
          serial: (bytes) => bytes.forEach((byte) => this.emit('serial0-output-byte', byte)),
          state: (state) => {
            this.emit(state === 'running' ? 'emulator-started' : 'emulator-stopped', undefined);
            if (state === 'running') void this.paint();
          },
        },
      }),
    );
    this.machine.then(
      (machine) => this.ready(machine),
      (error: Error) => {
        const { message } = error;
        if (!this.listeners.get('download-error')?.size) throw error;
        this.emit('download-error', { file_name: message.split(/[ :]/)[0]!, message });
      },
    );
  }

  private ready(machine: VirtualMachine): void {
    this.made = machine;
    if (this.destroyed) {
      void machine.destroy();
      return;
    }
    this.emit('emulator-loaded', undefined);
    for (const text of this.waiting.splice(0)) machine.serial.write(text);
    this.emit('emulator-ready', undefined);
    if (this.options.autostart) machine.run();
  }

  /** Starts, or goes on; before the images are loaded, as soon as they are. */
  async run(): Promise<void> {
    (await this.machine).run();
  }

  async stop(): Promise<void> {
    (await this.machine).pause();
  }

  restart(): void {
    this.made?.reset();
  }

  async destroy(): Promise<void> {
    this.destroyed = true;
    await (await this.machine).destroy();
  }

  is_running(): boolean {
    return this.made?.state === 'running';
  }

  serial0_send(data: string): void {
    if (this.made) this.made.serial.write(data);
    else this.waiting.push(data);
  }

  /** @param serial only port 0 is there */
  serial_send_bytes(serial: number, data: Uint8Array): void {
    if (serial !== 0) throw new VmError('option', `V86: there is no serial port ${serial}`);
    void this.machine.then((machine) => machine.serial.write(data));
  }

  keyboard_send_text(text: string): void {
    void this.machine.then((machine) => machine.keyboard.type(text));
  }

  /** Resolves with true when the text screen shows what is expected, with false after the timeout. */
  async wait_until_vga_screen_contains(
    expected: string | RegExp | (string | RegExp)[],
    { timeout_msec: timeout = Infinity }: { timeout_msec?: number } = {},
  ): Promise<boolean> {
    const machine = await this.machine;
    const wanted = Array.isArray(expected) ? expected : [expected];
    const limit = performance.now() + timeout;
    for (;;) {
      const text = (await machine.screen.read()).lines.join('\n');
      if (wanted.some((one) => (typeof one === 'string' ? text.includes(one) : one.test(text)))) {
        return true;
      }
      if (performance.now() > limit) return false;
      await new Promise((resolve) => setTimeout(resolve, SCREEN_MILLISECONDS));
    }
  }

  add_listener<Name extends keyof V86Events>(name: Name, listener: Listener<Name>): void {
    let set = this.listeners.get(name);
    if (!set) this.listeners.set(name, (set = new Set()));
    set.add(listener);
  }

  remove_listener<Name extends keyof V86Events>(name: Name, listener: Listener<Name>): void {
    this.listeners.get(name)?.delete(listener);
  }

  private emit<Name extends keyof V86Events>(name: Name, event: V86Events[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      (listener as Listener<Name>)(event);
    }
  }

  private progress({ image: name, loaded, total }: Progress, files: string[]): void {
    const own = {
      kernel: files[0]!,
      disk: 'hda',
      initrd: 'initrd',
      core: 'core',
      translations: '',
    }[name];
    this.emit('download-progress', {
      file_name: own === 'core' ? 'core.wasm' : (this.options[own as 'hda']?.url ?? own),
      file_index: own === 'core' ? 0 : files.indexOf(own) + 1,
      file_count: files.length + 1,
      lengthComputable: total !== undefined,
      loaded,
      total: total ?? 0,
    });
  }

  /** Keeps the container's text like the screen while the machine runs. */
  private async paint(): Promise<void> {
    const div = this.options.screen_container?.getElementsByTagName('div')[0];
    if (!div || this.painting) return;
    this.painting = true;
    while (this.is_running()) {
      const text = (await this.made!.screen.read()).lines.join('\n');
      if (div.textContent !== text) div.textContent = text;
      await new Promise((resolve) => setTimeout(resolve, SCREEN_MILLISECONDS));
    }
    this.painting = false;
  }
}

function image(file: V86Image | undefined): Image | undefined {
  if (!file) return undefined;
  const from = file.buffer ?? file.url;
  if (from === undefined) throw new VmError('option', 'V86: an image needs url or buffer');
  return from;
}
