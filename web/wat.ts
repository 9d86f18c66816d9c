/** A region's WebAssembly as text, by a library that is loaded when somebody looks. */

import type { RegionDetail } from '../host/embed/types';

/** The region's function of its module. */
export async function wat({ id, module }: RegionDetail): Promise<string> {
  const { default: start } = await import('wabt');
  const wabt = await start();
  const read = wabt.readWasm(module, {
    readDebugNames: false,
    simd: true,
    threads: false,
    tail_call: true,
  });
  try {
    read.generateNames();
    read.applyNames();
    const text = read.toText({ foldExprs: false, inlineExport: true });
    return functionNamed(text, `r${id}`) ?? text;
  } finally {
    read.destroy();
  }
}

/** Cuts one exported function out of a module's text: it ends where a line closes it. */
function functionNamed(text: string, name: string): string | undefined {
  const at = text.indexOf(`(export "${name}")`);
  if (at < 0) return undefined;
  const start = text.lastIndexOf('\n', at) + 1;
  const next = text.slice(at).search(/\n {2}\((func|export|memory|table|type|global)\b/);
  return next < 0 ? text.slice(start) : text.slice(start, at + next);
}
