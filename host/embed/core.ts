/**
 * Gets and compiles the core, and says in the user's words when that cannot be: a file that is not
 * where a bundler left it, an engine without what the core uses, a policy that forbids compiling.
 */

import { VmError } from './errors';
import { loadImage, reason, type LoadContext } from './images';
import type { CoreSource } from './types';

export interface Core {
  bytes: Uint8Array<ArrayBuffer>;
  module: WebAssembly.Module;
}

const MAGIC = [0, 0x61, 0x73, 0x6d];

export async function loadCore(source: CoreSource, context: LoadContext): Promise<Core> {
  if (typeof WebAssembly === 'undefined') {
    throw new VmError('unsupported', 'there is no WebAssembly here; use a current browser');
  }
  if (typeof source === 'object' && 'module' in source) {
    const bytes = new Uint8Array(source.bytes) as Uint8Array<ArrayBuffer>;
    return { bytes, module: source.module as WebAssembly.Module };
  }
  const bytes = (await loadImage('core', source, context)) as Uint8Array<ArrayBuffer>;
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    const where = typeof source === 'string' || source instanceof URL ? ` ${String(source)}` : '';
    throw new VmError(
      'load',
      `core${where}: is not WebAssembly; give the address of core.wasm as the option core ` +
        "(with Vite's development server: optimizeDeps.exclude = ['vmi86'])",
    );
  }
  try {
    return { bytes, module: await WebAssembly.compile(bytes) };
  } catch (error) {
    // A policy's refusal and a missing feature are both a CompileError; only the first knows CSP.
    const text = reason(error);
    const what = /content security policy|unsafe-eval/i.test(text)
      ? "the page's content security policy forbids WebAssembly; allow 'wasm-unsafe-eval'"
      : `this engine cannot compile the emulator (${text}); it needs WebAssembly with SIMD`;
    throw new VmError('unsupported', what);
  }
}
