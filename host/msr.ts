/**
 * Model-specific registers that belong to the machine rather than to the core: the APIC's base, the
 * memory type ranges and a few identification and control registers (SDM vol. 4, P6 family).
 *
 * The memory types are kept and have no effect: all RAM is write-back. A register that is not in
 * the table does not exist, and the core raises #GP.
 */

import { LAPIC_BASE } from './devices/lapic';

const APIC_BASE = 0x1b;
const APIC_BOOTSTRAP = 0x100n;
const APIC_ENABLED = 0x800n;

const PLATFORM_ID = 0x17;
const POWER_ON = 0x2a;
const MICROCODE_UPDATE = 0x79;
const MICROCODE_REVISION = 0x8b;
const MTRR_CAPABILITIES = 0xfe;
const MACHINE_CHECK_CAPABILITIES = 0x179;
const MACHINE_CHECK_STATUS = 0x17a;
const MISC_ENABLE = 0x1a0;
const DEBUG_CONTROL = 0x1d9;
const LAST_BRANCH_FROM = 0x1db;
const LAST_BRANCH_TO = 0x1dc;
const MTRR_VARIABLE = 0x200;
const MTRR_DEFAULT_TYPE = 0x2ff;
const MTRR_FIXED = [
  0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
] as const;

const VARIABLE_RANGES = 8;
/** Fixed ranges and write-combining supported. */
const CAPABILITIES = BigInt(VARIABLE_RANGES | 0x100 | 0x400);
const MTRR_ENABLED = 0x800n;
const FIXED_ENABLED = 0x400n;
const WRITE_BACK = 6n;
const FIXED_WRITE_BACK = 0x0606060606060606n;
/** 36 physical address bits, as CPUID says. */
const ADDRESS_MASK = 0xfffffffffn;
const MASK_VALID = 0x800n;
const FAST_STRINGS = 1n;
const REVISION = 1n << 32n;

/** Registers a write to which is accepted and forgotten. */
const IGNORED_WRITES: readonly number[] = [PLATFORM_ID, MICROCODE_UPDATE];

const READ_ONLY: readonly number[] = [MTRR_CAPABILITIES, MACHINE_CHECK_CAPABILITIES];

export interface MsrEffects {
  setApicEnabled(enabled: boolean): void;
}

export class Msrs {
  readonly state = { values: new Map<number, bigint>() };

  /** @param ramBytes what the first variable ranges describe as write-back. */
  constructor(
    private readonly effects: MsrEffects,
    ramBytes: number,
  ) {
    const { values } = this.state;
    values.set(APIC_BASE, BigInt(LAPIC_BASE) | APIC_BOOTSTRAP | APIC_ENABLED);
    values.set(PLATFORM_ID, 0n);
    values.set(POWER_ON, 0n);
    values.set(MICROCODE_REVISION, REVISION);
    values.set(MTRR_CAPABILITIES, CAPABILITIES);
    // Machine checks: the architecture with no bank, since nothing can fail.
    values.set(MACHINE_CHECK_CAPABILITIES, 0n);
    values.set(MACHINE_CHECK_STATUS, 0n);
    values.set(MISC_ENABLE, FAST_STRINGS);
    values.set(DEBUG_CONTROL, 0n);
    values.set(LAST_BRANCH_FROM, 0n);
    values.set(LAST_BRANCH_TO, 0n);
    for (const index of MTRR_FIXED) values.set(index, FIXED_WRITE_BACK);
    for (let i = 0; i < 2 * VARIABLE_RANGES; i++) values.set(MTRR_VARIABLE + i, 0n);
    // Uncached by default, write-back where there is RAM, in naturally aligned powers of two.
    values.set(MTRR_DEFAULT_TYPE, MTRR_ENABLED | FIXED_ENABLED);
    let base = 0;
    for (let i = 0; i < VARIABLE_RANGES && base < ramBytes; i++) {
      const size = 2 ** Math.floor(Math.log2(ramBytes - base));
      values.set(MTRR_VARIABLE + 2 * i, BigInt(base) | WRITE_BACK);
      const mask = ADDRESS_MASK & ~BigInt(size - 1);
      values.set(MTRR_VARIABLE + 2 * i + 1, mask | MASK_VALID);
      base += size;
    }
    // The legacy video window is not write-back.
    values.set(0x259, 0n);
  }

  read(index: number): bigint | undefined {
    return this.state.values.get(index >>> 0);
  }

  /** False when the register does not exist or refuses the value. */
  write(index: number, value: bigint): boolean {
    index >>>= 0;
    const { values } = this.state;
    if (IGNORED_WRITES.includes(index)) return true;
    if (!values.has(index) || READ_ONLY.includes(index)) return false;
    if (index === APIC_BASE) {
      // The base cannot be moved here; software that tries gets the fault of a reserved bit.
      if ((value & ADDRESS_MASK & ~0xfffn) !== BigInt(LAPIC_BASE)) return false;
      this.effects.setApicEnabled((value & APIC_ENABLED) !== 0n);
    } else if (index === MICROCODE_REVISION) {
      return true; // CPUID leaves the loaded revision there again
    }
    values.set(index, value);
    return true;
  }
}
