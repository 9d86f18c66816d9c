// Writes the table of calls in docs/vmi.md from host/vmi/calls.ts: `node scripts/vmi-docs.mjs`.
// tests/vmi/docs.test.ts makes sure that it is current.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { load, root } from './typescript.mjs';

const FILE = join(root, 'docs', 'vmi.md');
const BEGIN = '<!-- made by scripts/vmi-docs.mjs from host/vmi/calls.ts -->';
const END = '<!-- end of what is made -->';

const SERVED = { core: 'core', host: 'machine', nobody: '-' };

function place({ name, at }) {
  const where = at === 'stack0' ? '[ESP+4]' : at === 'stack1' ? '[ESP+8]' : at.toUpperCase();
  return `${where} ${name}`;
}

function row(call) {
  const result = { none: '', eax: 'EAX', 'edx:eax': 'EDX:EAX', registers: 'as the instruction' };
  const served = call.inline ? 'inline' : SERVED[call.served];
  const does = call.reason ? `${call.does} ${call.answer}: ${call.reason}.` : call.does;
  return [
    call.number,
    call.name,
    call.class,
    call.arguments.map(place).join(', '),
    result[call.result],
    served,
    call.hook ?? '',
    does,
  ];
}

/** The document with the table of these calls in it, formatted as the rest of the project. */
export async function document(text, calls) {
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error('docs/vmi.md: the marks of the table are not there');
  const head = ['#', 'call', 'class', 'arguments', 'result', 'served', 'hook', 'what it does'];
  const lines = [head, head.map(() => '-'), ...calls.map(row)].map(
    (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`,
  );
  const made = `${text.slice(0, from)}${BEGIN}\n\n${lines.join('\n')}\n\n${text.slice(to)}`;
  return format(made, { ...(await resolveConfig(FILE)), parser: 'markdown' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { CALLS } = await load('host/vmi/calls.ts');
  writeFileSync(FILE, await document(readFileSync(FILE, 'utf8'), CALLS));
}
