// `npm run bench`: bundles the bench and runs it (bench/run.ts; with --paravirt
// bench/paravirt.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, load, root } from './typescript.mjs';

const argv = process.argv.slice(2);
const paravirt = argv.includes('--paravirt');
const { main } = await load(paravirt ? 'bench/paravirt.ts' : 'bench/run.ts');
const v86Child = await bundle('bench/v86-child.ts');
const browserChild = await bundle('bench/browser-child.ts');
const folder = mkdtempSync(join(tmpdir(), 'vmi86-bench-'));
try {
  process.exitCode = paravirt
    ? await main(argv, root, folder)
    : await main(argv, root, v86Child, browserChild, folder);
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
} finally {
  rmSync(v86Child, { force: true });
  rmSync(browserChild, { force: true });
  rmSync(folder, { recursive: true, force: true });
}
