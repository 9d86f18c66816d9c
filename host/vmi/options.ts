/** What of VMI is offered or done; each can be left out, to see what it is worth. */
export interface VmiOptions {
  /** TLB entries of address spaces are kept across SetCR3. */
  spaces?: boolean;
  /** The timer calls are offered; without them the guest uses the PIT and the APIC's timer. */
  timer?: boolean;
  /** IODelay is answered with nothing to do; without it the guest writes to port 80h. */
  delay?: boolean;
  /** SetLazyMode is answered NONE, as nothing waits; without it the guest says when something may. */
  eager?: boolean;
  /** Translated code makes calls itself; without it it runs the ROM's routines. */
  direct?: boolean;
}

export const VMI_OPTIONS = ['spaces', 'timer', 'delay', 'eager', 'direct'] as const;
