// `vmi86 bundle OUT FILE...`: one file of translations out of several, each region once, and made
// smaller by Binaryen. Takes its time; for files that are handed on, as beside a page's kernel.

import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleTranslations } from '../../jit/translations/bundle';
import { UnusableTranslations } from '../../jit/translations/format';
import { UserError } from '../errors';
import { readBytes, reasonOf } from '../platform/node';
import { madeBy } from '../translations';
import { EXIT_USAGE } from './arguments';

const USAGE = `Usage: vmi86 bundle OUT FILE...

Makes one file of translations, OUT, of those that vmi86 --translations has left. Regions that no run
has entered are left out, and Binaryen makes the rest smaller.
`;

export async function main(
  words: string[],
  terminal: { say(line: string): void },
): Promise<number> {
  const [out, ...files] = words;
  if (out === undefined || out === '--help' || out === '-h') {
    process.stdout.write(USAGE);
    return out === undefined ? EXIT_USAGE : 0;
  }
  if (files.length === 0) throw new UserError('bundle', 'needs files; vmi86 bundle OUT FILE...');
  const core = readBytes(fileURLToPath(new URL('core.wasm', import.meta.url)));
  const contents = files.map((path) => {
    try {
      return { path, bytes: readBytes(path) };
    } catch (error) {
      throw new UserError(`bundle ${path}`, `${reasonOf(error)}; give a file of translations`);
    }
  });
  const made = madeBy(core);
  const shrink = await loadBinaryen();
  let bundle;
  try {
    bundle = bundleTranslations(contents, made, shrink);
  } catch (error) {
    if (error instanceof UnusableTranslations) throw new UserError('bundle', error.message);
    throw error;
  }
  const temporary = `${out}.${process.pid}`;
  try {
    writeFileSync(temporary, bundle.file);
    renameSync(temporary, out);
  } catch (error) {
    throw new UserError(`bundle ${out}`, `${reasonOf(error)}; give a file that can be written`);
  }
  const { regions, before } = bundle;
  terminal.say(`vmi86: ${regions} regions of ${before} in ${out}, ${bundle.file.length} bytes`);
  return 0;
}

/** Binaryen is no part of the package: it is larger than all of vmi86, and runs need it not. */
async function loadBinaryen(): Promise<(module: Uint8Array) => Uint8Array> {
  const { default: binaryen } = await import('binaryen').catch(() => {
    throw new UserError('bundle', 'needs Binaryen, which is not installed; npm install binaryen');
  });
  const { Features } = binaryen;
  return (bytes) => {
    const module = binaryen.readBinary(bytes);
    module.setFeatures(
      Features.SIMD128 | Features.TailCall | Features.BulkMemory | Features.SignExt | Features.MutableGlobals | Features.NontrappingFPToInt | Features.ReferenceTypes,
    ); // prettier-ignore
    binaryen.setOptimizeLevel(2);
    binaryen.setShrinkLevel(1);
    module.optimize();
    const small = module.emitBinary();
    module.dispose();
    return small;
  };
}
