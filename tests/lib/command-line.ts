/** What Debian's kernel is booted with in tests. */
export const COMMAND_LINE =
  'console=ttyS0 tsc=reliable mitigations=off random.trust_cpu=on nokaslr';
