/** The VGA text screen in a <pre>, and its keyboard. */

import type { ScreenText, VirtualMachine } from '../host/embed/types';
import { element } from './elements';

const MILLISECONDS = 100;

const KEYS: Record<string, string> = { Enter: '\n', Backspace: '\b', Escape: '\x1b' };

let machine: VirtualMachine | undefined;
let shown = '';

export function attachScreen(next: VirtualMachine | undefined): void {
  machine = next;
}

function draw({ lines, cursor }: ScreenText): void {
  const pre = element('vga');
  const text = lines.join('\n') + JSON.stringify(cursor);
  if (text === shown) return;
  shown = text;
  if (!cursor.visible) {
    pre.textContent = lines.join('\n');
    return;
  }
  const row = lines[cursor.row]!.padEnd(cursor.column + 1);
  const block = Object.assign(document.createElement('span'), {
    className: 'cursor',
    textContent: row[cursor.column],
  });
  const before = [...lines.slice(0, cursor.row), row.slice(0, cursor.column)].join('\n');
  const after = [row.slice(cursor.column + 1), ...lines.slice(cursor.row + 1)].join('\n');
  pre.replaceChildren(before, block, after);
}

/** Only while it is looked at. */
setInterval(() => {
  if (element('vga').hidden || !machine || machine.state === 'destroyed') return;
  machine.screen.read().then(draw, () => {});
}, MILLISECONDS);

element('vga').addEventListener('keydown', (event) => {
  // Shortcuts stay the browser's, and Tab leaves as it entered.
  if (event.ctrlKey || event.altKey || event.metaKey || !machine) return;
  const text = event.key.length === 1 ? event.key : KEYS[event.key];
  if (text === undefined || machine.state === 'destroyed') return;
  machine.keyboard.type(text);
  event.preventDefault();
});
element('vga').addEventListener('paste', (event) => {
  machine?.keyboard.type(event.clipboardData?.getData('text') ?? '');
  event.preventDefault();
});
