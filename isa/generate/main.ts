/** Writes assembly/generated/: run by scripts/build.mjs. Arguments: the project's root. */
import { readdirSync, readFileSync, mkdirSync, writeFileSync, existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BANKS, CODES } from '../codes.ts';
import { calledFunctions } from '../functions.ts';
import { bankSource } from './interpreter.ts';
import { codesSource, tablesSource } from './tables.ts';

const root = process.argv[2] ?? '.';
const assembly = join(root, 'assembly');
const out = join(assembly, 'generated');

/** Exported functions of the core's sources: name -> module path as seen from generated/. */
function exportedFunctions(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['ops', 'cpu', 'interp', 'decode', 'mem']) {
    for (const file of readdirSync(join(assembly, folder), { recursive: true }) as string[]) {
      if (!file.endsWith('.ts')) continue;
      const path = join(assembly, folder, file);
      const module = `../${relative(assembly, path).replaceAll('\\', '/').replace(/\.ts$/, '')}`;
      for (const [, name] of readFileSync(path, 'utf8').matchAll(/^export function (\w+)/gm)) {
        found.set(name!, module);
      }
    }
  }
  return found;
}

const functions = exportedFunctions();
const missing = new Set<string>();
const where = (name: string) => {
  const file = functions.get(name);
  if (!file) missing.add(name);
  return file ?? '../missing';
};

function write(name: string, text: string): void {
  const path = join(out, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  writeFileSync(path, text);
}

mkdirSync(out, { recursive: true });
write('tables.ts', tablesSource());
write('codes.ts', codesSource());
for (const bank of BANKS)
  write(`${bank === 'hot' ? 'interpret' : bank}.ts`, bankSource(bank, where));
// The translator splices or calls the functions of the rows: they must be exports of the core.
const exported = new Map<string, string[]>();
for (const name of calledFunctions()) {
  const file = where(name);
  exported.set(file, [...(exported.get(file) ?? []), name]);
}
write(
  'exports.ts',
  `// Generated from isa/ by isa/generate.\n${[...exported].map(([file, names]) => `export { ${names.join(', ')} } from '${file}';`).join('\n')}\n`,
);
if (missing.size) {
  console.error(`isa: no exported function in assembly/ named ${[...missing].sort().join(', ')}`);
  process.exit(1);
}
console.error(
  `isa: ${CODES.length} codes (${BANKS.map((b) => `${b} ${CODES.filter((c) => c.bank === b).length}`).join(', ')})`,
);
