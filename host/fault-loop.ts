/**
 * Tells when a guest does nothing but fault and so cannot go on although it never shuts down: either
 * fault follows fault and no instruction is ever done, or a short handler returns to where it faults
 * again.
 *
 * The second is shown, not guessed: processor and memory are as they were a while ago, and meanwhile
 * no interrupt was taken and no device accessed. So it will be the same for ever.
 */
import { FAULT_RUN, FAULT_RUN_BARE } from '../assembly/shared/history';
import { COUNTERS, FPU, HISTORY } from '../assembly/shared/layout';
import type { Cpu } from './cpu';
import { REGISTER_NAMES, SEGMENT_NAMES } from './state';

/** Faults in a row that make a guest suspect. Nested ones would have filled megabytes of stack. */
const SUSPECT = 100_000;
/** Guest nanoseconds between the two looks: a timer that still ticks would have interrupted. */
const APART = 100_000_000;

interface Look {
  processor: string;
  memory: number;
  accesses: number;
  time: number;
}

export class FaultLoop {
  private words: Uint32Array | undefined;
  private first: Look | undefined;
  /** Doubles when the looks differ: they cost as much as reading all memory. */
  private apart = APART;

  /**
   * Asked between two calls of the core. Gives the reason when the guest cannot go on.
   *
   * @param now guest time in nanoseconds
   * @param accesses of the guest to devices so far
   */
  check(cpu: Cpu, now: () => number, accesses: () => number): string | undefined {
    const words = (this.words ??= new Uint32Array(cpu.memory.buffer, HISTORY, 4));
    if (words[FAULT_RUN >> 2]! < SUSPECT) {
      this.first = undefined;
      this.apart = APART;
      return undefined;
    }
    if (words[FAULT_RUN_BARE >> 2]! >= SUSPECT) {
      return `${SUSPECT} faults in a row and no instruction done between them`;
    }
    const time = now();
    if (this.first && time < this.first.time + this.apart) return undefined;
    const look = { processor: processorState(cpu), memory: 0, accesses: accesses(), time };
    const { first } = this;
    // Between two looks the loop may stand at another of its places: that one comes round again.
    if (first && first.accesses === look.accesses && first.processor !== look.processor) {
      if (time < first.time + 2 * this.apart) return undefined;
    }
    look.memory = checksum(cpu.ram());
    if (
      first?.accesses === look.accesses &&
      first.processor === look.processor &&
      first.memory === look.memory
    ) {
      return 'the same fault again and again: nothing else changes any more';
    }
    if (first) this.apart *= 2;
    this.first = look;
    return undefined;
  }
}

/** Everything that decides what the processor does next, but memory. */
function processorState({ state, memory }: Cpu): string {
  return [
    ...REGISTER_NAMES.map((name) => state.register(name)),
    ...[state.eip, state.eflags, state.cpl, state.cr0, state.cr2, state.cr3, state.cr4],
    ...SEGMENT_NAMES.map((name) => Object.values(state.segment(name)).join()),
    ...[state.gdtr, state.idtr].map(({ base, limit }) => `${base}+${limit}`),
    new Uint32Array(memory.buffer.slice(FPU, COUNTERS)).join(),
  ].join(' ');
}

function checksum(ram: Uint8Array): number {
  const words = new Int32Array(ram.buffer, ram.byteOffset, ram.length >> 2);
  let sum = 0;
  for (let i = 0; i < words.length; i++) sum = Math.imul(sum ^ words[i]!, 0x01000193);
  return sum;
}
