import { readFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

/** Compiles leaves.as, or another AssemblyScript source, with the options of the core's build. */
export async function compileLeaves(source?: string): Promise<Uint8Array> {
  const text = source ?? readFileSync(new URL('./leaves.as', import.meta.url), 'utf8');
  let bytes: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    [
      'leaves.ts',
      '-O3',
      '--runtime',
      'stub',
      '--importMemory',
      '--noAssert',
      '--enable',
      'simd',
      '-o',
      'out.wasm',
    ],
    {
      readFile: (name) => (name === 'leaves.ts' ? text : null),
      writeFile: (name, contents) => {
        if (name === 'out.wasm') bytes = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || bytes === null) throw new Error(`asc: ${stderr.toString()}`);
  return bytes;
}
