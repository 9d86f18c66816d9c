/** The hints that the build adds to the core: there, at branches, and understood by the reader. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BR_IF, IF } from '../../jit/wasm/opcodes.ts';
import { readModule } from '../../jit/wasm/reader.ts';

test('the core says which branches are hardly ever taken', () => {
  const core = fileURLToPath(new URL('../../dist/core.wasm', import.meta.url));
  const bytes = readFileSync(core);
  const { bodies } = readModule(bytes);
  const unlikely = bodies.flatMap((body) => [...body.unlikely]);
  // Each access of the interpreter's hot cases tests for a fault.
  expect(unlikely.length).toBeGreaterThan(100);
  expect(new Set(unlikely.map((at) => bytes[at]))).toEqual(new Set([BR_IF, IF]));
});
