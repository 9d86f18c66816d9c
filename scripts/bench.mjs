// `npm run bench`: bundles the bench and runs it (bench/run.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, load, root } from './typescript.mjs';

const { main } = await load('bench/run.ts');
const v86Child = await bundle('bench/v86-child.ts');
const folder = mkdtempSync(join(tmpdir(), 'vmi86-bench-'));
try {
  process.exitCode = await main(process.argv.slice(2), root, v86Child, folder);
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
} finally {
  rmSync(v86Child, { force: true });
  rmSync(folder, { recursive: true, force: true });
}
