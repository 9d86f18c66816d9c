/** xterm.js on a machine's serial line: drawn as fast as it can be read, and no faster. */

import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { VirtualMachine } from '../host/embed/types';

const SCROLLBACK = 5000;

export class SerialTerminal {
  readonly terminal: Terminal;
  private machine: VirtualMachine | undefined;
  private readonly fit = new FitAddon();

  constructor(parent: HTMLElement, label: string) {
    const contrast = matchMedia('(prefers-contrast: more)').matches;
    this.terminal = new Terminal({
      scrollback: SCROLLBACK,
      fontSize: parent.clientWidth < 500 ? 10 : 13,
      fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      theme: { background: '#0d0f11' },
      // A serial line ends lines with \n where no operating system adds the \r.
      convertEol: true,
      ...(contrast && { minimumContrastRatio: 7 }),
    });
    this.terminal.loadAddon(this.fit);
    this.terminal.open(parent);
    this.terminal.textarea?.setAttribute('aria-label', label);
    this.terminal.onData((text) => this.machine?.serial.write(text));
    new ResizeObserver(() => this.resize(parent)).observe(parent);
    this.resize(parent);
  }

  private resize(parent: HTMLElement): void {
    if (parent.clientWidth > 0) this.fit.fit();
  }

  /** Shows this machine's serial line from now on. */
  attach(machine: VirtualMachine): void {
    this.machine = machine;
    this.terminal.reset();
    void this.draw(machine);
  }

  detach(): void {
    this.machine = undefined;
  }

  private async draw(machine: VirtualMachine): Promise<void> {
    const reader = machine.serial.readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.machine !== machine) return;
      // The guest waits while the terminal is behind: the stream tells it.
      await new Promise<void>((resolve) => this.terminal.write(value, resolve));
    }
  }

  /** Everything on it, for the clipboard. */
  text(): string {
    const { active } = this.terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, i) =>
      active.getLine(i)!.translateToString(true),
    );
    return lines.join('\n').trimEnd() + '\n';
  }
}
