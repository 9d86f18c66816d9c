// dist/types: the declarations of what the package exports, file by file from the source. Nothing is
// checked here (npm run check does); the files say all types themselves, as isolatedDeclarations asks.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The files that users see, and no other: they may import only each other. */
export const PUBLIC = ['node', 'browser', 'types', 'errors', 'v86', 'v86-node', 'v86-browser'];

/** Of modules that are run or whose address is taken: nothing to import but what a bundler gives. */
const OTHERS = {
  'worker.d.ts': '/** Runs in a worker: one machine, called from outside. */\nexport {};\n',
  'core.wasm.d.ts':
    '/** What a bundler makes of the file: its address, as a rule. */\n' +
    'declare const core: string;\nexport default core;\n',
};

export function emitDeclarations(root) {
  const folder = join(root, 'dist/types');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of PUBLIC) {
    const fileName = join(root, `host/embed/${name}.ts`);
    const { outputText, diagnostics } = ts.transpileDeclaration(readFileSync(fileName, 'utf8'), {
      fileName,
      reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    for (const { messageText } of diagnostics ?? []) {
      throw new Error(`${fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
    }
    const text = outputText.replace(/(from |import\()'(\.[^']*)'/g, "$1'$2.js'");
    const stranger = [...text.matchAll(/^(?:import|export) .* from '([^']*)'/gm)].find(
      ([, from]) => !PUBLIC.some((one) => from === `./${one}.js`),
    );
    if (stranger)
      throw new Error(`${fileName}: declarations need ${stranger[1]}, which is not public`);
    writeFileSync(join(folder, `${name}.d.ts`), text);
  }
  for (const [name, text] of Object.entries(OTHERS)) writeFileSync(join(folder, name), text);
}
