// The line that ends `npm test`, alone on a line: "N passed, N failed", for people and scripts.

import type { Reporter, TestModule } from 'vitest/node';

export default class CountReporter implements Reporter {
  private summary = '';

  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>): void {
    let passed = 0;
    let failed = errors.length;
    let skipped = 0;
    for (const module of modules) {
      // A module that could not be loaded has no tests and counts as one failure.
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        else skipped++;
      }
    }
    const aside = skipped ? `\n${skipped} skipped` : '';
    this.summary = `${aside}\n${passed} passed, ${failed} failed\n`;
  }

  // After the default reporter's own summary, which it writes here.
  onFinished(): void {
    process.stdout.write(this.summary);
  }
}
