/** Finds the shortest part of a failing program that still fails, and prints it. */
import { disassembly } from '../lib/disassembly.ts';
import { compare, hex, type Difference } from './compare.ts';
import type { Tier } from '../lib/usermode.ts';
import { runNative } from './harness.ts';
import { REGISTER_NAMES, type Outcome } from './layout.ts';
import { link, type Program } from './program.ts';

export interface Failure {
  program: Program;
  native: Outcome;
  emulated: Outcome;
  differences: Difference[];
}

/** The first of the candidates that fails, all of them run natively in one go. */
async function firstFailing(candidates: Program[], tier: Tier): Promise<Failure | null> {
  const linked = candidates.map(link);
  const natives = runNative(linked.map((l) => l.case));
  for (let i = 0; i < candidates.length; i++) {
    const emulated = await tier.run(linked[i].case);
    const differences = compare(candidates[i], linked[i], natives[i], emulated, tier.paging);
    if (differences.length > 0)
      return { program: candidates[i], native: natives[i], emulated, differences };
  }
  return null;
}

export async function reduce(program: Program, tier: Tier): Promise<Failure | null> {
  let best = await firstFailing([program], tier);
  if (!best) return null;
  for (;;) {
    const { items } = best.program;
    if (items.length <= 1) return best;
    // Whole halves first, then single instructions.
    const candidates: Program[] = [];
    const without = (from: number, to: number) =>
      candidates.push({
        ...best!.program,
        items: items.slice(0, from).concat(items.slice(to)),
      });
    for (let n = items.length >> 1; n >= 1; n >>= 1)
      for (let from = 0; from + n <= items.length; from += n) without(from, from + n);
    const shorter = await firstFailing(candidates, tier);
    if (!shorter) return best;
    best = shorter;
  }
}

function bytes(data: Uint8Array): string {
  return [...data].map((b) => hex(b, 2)).join(' ');
}

/** Everything one needs to look into a failure. */
export function report(failure: Failure, tier: Tier, seed: number, total: number): string {
  const { program, native, emulated, differences } = failure;
  const linked = link(program);
  const c = linked.case;
  const fpu = new DataView(c.fpu.buffer, c.fpu.byteOffset);
  const lines = [
    `${program.group} ${program.index} in ${tier.name}: ${program.items.length} of ${total} instructions left`,
    `bytes: ${bytes(c.code)}`,
    disassembly(c.code, c.entry),
    'before: ' +
      REGISTER_NAMES.map((name, i) => `${name}=${hex(c.regs[i])}`).join(' ') +
      ` EFLAGS=${hex(c.eflags)}`,
  ];
  const usesFpu = c.code.some((b) => (b >= 0xd8 && b <= 0xdf) || b === 0x0f);
  if (usesFpu) {
    lines.push(
      `  FCW=${hex(fpu.getUint16(0, true), 4)} FSW=${hex(fpu.getUint16(2, true), 4)} ` +
        `FTW=${hex(c.fpu[4], 2)} MXCSR=${hex(fpu.getUint32(24, true), 4)}`,
    );
    for (let i = 0; i < 8; i++) {
      const at = 32 + 16 * i;
      const head = hex(fpu.getUint16(at + 8, true), 4);
      const xmm = [8, 0].map((n) => hex(fpu.getBigUint64(160 + 16 * i + n, true), 16)).join('');
      lines.push(`  ST${i}=${head}${hex(fpu.getBigUint64(at, true), 16)} XMM${i}=${xmm}`);
    }
  }
  for (const p of c.patches) {
    const shown = bytes(p.bytes.subarray(0, 32)) + (p.bytes.length > 32 ? ' ...' : '');
    lines.push(`  [${hex(p.address)}]: ${shown}`);
  }
  lines.push(
    `native:   trap ${native.trap} at ${hex(native.eip)} EFLAGS=${hex(native.eflags)}`,
    `emulated: trap ${emulated.trap} at ${hex(emulated.eip)} EFLAGS=${hex(emulated.eflags)}`,
  );
  for (const d of differences)
    lines.push(`  * ${d.what.padEnd(11)} native ${d.native}  emulated ${d.emulated}`);
  lines.push(
    `again: VMI86_SEED=${seed} VMI86_GROUP='${program.group}' VMI86_ONLY=${program.index} npx vitest run tests/native`,
  );
  return lines.join('\n');
}
