/**
 * Unpacks a bzImage's kernel on the host. A guest does it itself otherwise, by code in the image, which is a
 * third of Debian's boot: 2.3 G instructions. What packing or placing is not known is left to it.
 */

import { isSelfPlacing, payloadOf } from './bzimage';
import { isXz, unpackXz } from './xz';

const GZIP = [0x1f, 0x8b];
/** Behind what is not gzip the size of the kernel is repeated (scripts/Makefile.lib, size_append). */
const SIZE_APPENDED = 4;

/**
 * The ELF file that a bzImage carries (vmlinux), or undefined: the guest had better unpack it. That is so where
 * it is damaged, too: the guest's code says it as on hardware.
 */
export async function unpackKernel(
  file: Uint8Array,
  commandLine: string,
): Promise<Uint8Array | undefined> {
  const payload = payloadOf(file);
  if (!payload || isSelfPlacing(file, commandLine)) return undefined;
  try {
    if (GZIP.every((byte, i) => payload[i] === byte)) return await unpackGzip(payload);
    if (isXz(payload)) return await unpackXz(payload.subarray(0, -SIZE_APPENDED));
  } catch {
    // Damaged.
  }
  return undefined;
}

async function unpackGzip(payload: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([payload as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
