// Tells the engine which branches of the core are hardly ever taken, for which asc has no word: those of
// memory accesses that miss the TLB (jit/wasm/hint.ts). FAULT_PENDING is what they look at afterwards.

import { readFileSync, writeFileSync } from 'node:fs';
import { load } from './typescript.mjs';

export async function hintCore(file) {
  const { hintSlowWays } = await load('jit/wasm/hint.ts');
  const { FAULT_PENDING } = await load('assembly/shared/layout.ts');
  writeFileSync(file, hintSlowWays(readFileSync(file), FAULT_PENDING));
}
