/** Keeps what people may want to see of the translations: the modules and the guest code of each. */

import { ENTRY_COUNT } from '../../assembly/shared/regions';
import { RAM_BASE } from '../../assembly/shared/layout';
import { HEADER_PHYSICAL } from '../../assembly/shared/records';
import { disassemble } from '../../isa/disassemble';
import type { Node } from '../../jit/region';
import type { Translated, Translator } from '../../jit/translator';
import type { RegionDetail, RegionSummary } from './types';

interface Kept {
  region: Translated;
  module: Uint8Array;
  code: { address: number; bytes: Uint8Array }[];
}

export class Inspector {
  private readonly kept = new Map<number, Kept>();
  private copied: { from: Uint8Array; copy: Uint8Array } | undefined;
  /** Set when the machine is there: it makes the translator. */
  translator: Translator | undefined;
  memory: WebAssembly.Memory | undefined;

  /** TranslatorOptions.onRegion. */
  readonly made = (region: Translated, module: Uint8Array, nodes: readonly Node[]): void => {
    // The writer of modules uses its bytes again; regions of one module come one after the other.
    if (this.copied?.from !== module) this.copied = { from: module, copy: module.slice() };
    this.kept.set(region.slot, { region, module: this.copied.copy, code: this.codeOf(nodes) });
  };

  list(): RegionSummary[] {
    return [...this.live()].map((kept) => this.summary(kept)).sort((a, b) => b.entered - a.entered);
  }

  detail(id: number): RegionDetail | undefined {
    for (const kept of this.live()) {
      if (kept.region.slot === id) {
        const { module, code } = kept;
        return { ...this.summary(kept), module, code: code.map(withText) };
      }
    }
    return undefined;
  }

  private *live(): Iterable<Kept> {
    for (const [slot, kept] of this.kept) {
      if (this.translator?.isLive(kept.region)) yield kept;
      else this.kept.delete(slot);
    }
  }

  private summary({ region }: Kept): RegionSummary {
    const view = new DataView(this.memory!.buffer);
    const entered = region.entries.reduce(
      (sum, { descriptor }) => sum + view.getUint32(descriptor + ENTRY_COUNT, true),
      0,
    );
    const { slot: id, eip: address, instructions, bytes } = region;
    return { id, address, instructions, bytes, entered };
  }

  /** Copies the guest's bytes, stretch by stretch. */
  private codeOf(nodes: readonly Node[]): Kept['code'] {
    const buffer = this.memory?.buffer;
    if (!buffer) return [];
    const view = new DataView(buffer);
    const stretches: { address: number; end: number; physical: number }[] = [];
    for (const { eip, next, block } of [...nodes].sort((a, b) => a.eip - b.eip)) {
      const last = stretches.at(-1);
      // Pages of one stretch may lie anywhere in memory, so it ends with its page.
      if (last && last.end === eip && eip % 4096 !== 0) last.end = next;
      else {
        const physical = view.getUint32(block + HEADER_PHYSICAL, true);
        stretches.push({ address: eip, end: next, physical });
      }
    }
    return stretches.map(({ address, end, physical }) => {
      const start = RAM_BASE + physical;
      return { address, bytes: new Uint8Array(buffer.slice(start, start + end - address)) };
    });
  }
}

/** Adds the instructions as people write them. */
function withText(stretch: Kept['code'][number]): RegionDetail['code'][number] {
  const { address, bytes } = stretch;
  const lines: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const eip = (address + at) >>> 0;
    // Only code with 32-bit operands and addresses is translated.
    const { length, text } = disassemble(bytes.subarray(at), eip, true);
    lines.push(`${eip.toString(16).padStart(8, '0')}  ${text}`);
    at += Math.max(length, 1);
  }
  return { address, bytes, text: lines.join('\n') };
}
