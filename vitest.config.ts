import { defineConfig } from 'vitest/config';
import { translatorDefine } from './scripts/translator-hash.mjs';

export default defineConfig({
  define: translatorDefine(),
  test: {
    setupFiles: ['tests/setup.ts'],
    include: ['tests/**/*.test.ts'],
    // Boots and native comparisons are minutes, not seconds, on a small machine.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Whole machines are CPU-bound: more at once than processors only makes timeouts likelier.
    maxWorkers: 2,
    minWorkers: 1,
    reporters: ['default', './tests/count-reporter.ts'],
  },
});
