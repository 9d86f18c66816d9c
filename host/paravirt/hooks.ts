/**
 * The operations of Linux's paravirt_ops that a hypervisor can stand behind, in its groups and by
 * its names (2.6.32, arch/x86/include/asm/paravirt_types.h), and where each is served. A face maps
 * its own calls, registers and ports onto them; --stats counts them by these names.
 *
 * core     state of the processor: a function in WebAssembly, which translated code calls directly
 * machine  devices, clock, power: a function in TypeScript, of `MachineHooks`
 *
 * By frequency: of a 2.6.32 kernel's calls nine in ten are the interrupt flag's, which translated
 * code has inline, and most others are page-table entries, CR2, CR3 and the kernel stack. Those are
 * the core's. Time and the APIC go out to TypeScript, where the clock and the devices are.
 *
 * Names that are no member of paravirt_ops in 2.6.32 but its neighbours: get_wallclock and
 * calibrate_tsc are x86_platform's, set_alarm and cancel_alarm are the clock event device's, read
 * and write of `apic` are the APIC driver's; lazy_mode is enter, leave and the context switch's pair.
 */
export const HOOKS = {
  init: { activate: 'core', reboot: 'machine', power_off: 'machine' },
  time: {
    sched_clock: 'machine', get_tsc_khz: 'machine', get_wallclock: 'machine',
    set_alarm: 'machine', cancel_alarm: 'machine', steal_clock: 'machine',
  },
  cpu: {
    cpuid: 'core', read_msr: 'core', write_msr: 'core', read_pmc: 'core', read_tsc: 'core',
    read_cr0: 'core', write_cr0: 'core', read_cr4: 'core', write_cr4: 'core', clts: 'core',
    get_debugreg: 'core', set_debugreg: 'core', load_gdt: 'core', load_idt: 'core',
    store_gdt: 'core', store_idt: 'core', set_ldt: 'core', load_tr_desc: 'core', store_tr: 'core',
    write_gdt_entry: 'core', write_ldt_entry: 'core', write_idt_entry: 'core', load_sp0: 'core',
    set_iopl_mask: 'core', wbinvd: 'core', io_delay: 'core', iret: 'core',
    irq_enable_sysexit: 'core',
  },
  irq: {
    save_fl: 'core', restore_fl: 'core', irq_disable: 'core', irq_enable: 'core', safe_halt: 'core',
  },
  apic: { read: 'machine', write: 'machine', eoi: 'machine', startup_ipi_hook: 'machine' },
  mmu: {
    read_cr2: 'core', write_cr2: 'core', read_cr3: 'core', write_cr3: 'core', set_pte: 'core',
    set_pte_atomic: 'core', pte_update: 'core', alloc_pte: 'core', release_pte: 'core',
    flush_tlb_user: 'core', flush_tlb_single: 'core', lazy_mode: 'core',
  },
  lock: { kick: 'machine', yield: 'machine' },
} as const; // prettier-ignore

type Groups = typeof HOOKS;
export type HookName = { [G in keyof Groups]: `${G}.${keyof Groups[G] & string}` }[keyof Groups];

/** An alarm's interrupt: line 0 of the interrupt controllers, or the local APIC's timer entry. */
export type AlarmWiring = 'irq0' | 'lvtt';
/** real: guest time; available: real less stolen. */
export type AlarmCounter = 'real' | 'available';

export interface Alarm {
  counter: AlarmCounter;
  /** Absolute, in cycles of the counter. */
  expiry: number;
  /** Cycles, or 0: once. */
  period: number;
  wiring: AlarmWiring;
}

/**
 * The hooks that the machine serves. Times are in nanoseconds of guest time, which are cycles of
 * the time-stamp counter as well (host/clock.ts).
 */
export interface MachineHooks {
  init: { reboot(): void; power_off(): void };
  time: {
    /** The counter: guest time since the machine was made. */
    sched_clock(): number;
    /** Nanoseconds that the guest could have run and did not. */
    steal_clock(): number;
    /** kHz. */
    get_tsc_khz(): number;
    /** Nanoseconds since 1970-01-01 UTC. */
    get_wallclock(): bigint;
    set_alarm(alarm: Alarm): void;
    /** Whether it was armed. */
    cancel_alarm(counter: AlarmCounter): boolean;
  };
  apic: {
    /** `offset`: of the register in the APIC's page, a multiple of 16. */
    read(offset: number): number;
    write(offset: number, value: number): void;
    eoi(): void;
    /** State in which the processor with this APIC id starts at its next startup IPI. */
    startup_ipi_hook(id: number, state: Uint8Array): void;
  };
  lock: { kick(apicId: number): void; yield(): void };
}
