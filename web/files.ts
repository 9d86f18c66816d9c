/** Tells what a file is by its first bytes: people drop what they have and should not have to say. */

export type Kind = 'kernel' | 'initrd' | 'disk';

const HEAD = 8192;
const SECTOR = 512;
/** "HdrS" in the header of a Linux bzImage (Linux boot protocol). */
const LINUX_AT = 0x202;
const MULTIBOOT = 0x1badb002;

/** Archives and compressions an initrd comes in, by how they begin. */
const INITRD = [
  [0x1f, 0x8b], // gzip
  [0xfd, 0x37, 0x7a, 0x58, 0x5a], // xz
  [0x28, 0xb5, 0x2f, 0xfd], // zstd
  [0x42, 0x5a, 0x68], // bzip2
  [0x02, 0x21, 0x4c, 0x18], // lz4, as the kernel wants it
  [0x30, 0x37, 0x30, 0x37, 0x30], // cpio, newc
];

/** What a file is, or a sentence that says that it is nothing of use and what would be. */
export async function kindOf(file: File): Promise<{ kind: Kind } | { problem: string }> {
  const problem = (what: string): { problem: string } => ({
    problem: `${file.name} ${what}. Drop a Linux bzImage, a multiboot ELF, an initrd or a raw disk image.`,
  });
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  } catch {
    return problem('cannot be read; it may be a folder, or have changed');
  }
  if (head.length === 0) return problem('is empty');
  const begins = (bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (String.fromCharCode(...head.subarray(LINUX_AT, LINUX_AT + 4)) === 'HdrS') {
    return { kind: 'kernel' };
  }
  if (hasMultiboot(head)) return { kind: 'kernel' };
  if (begins([0x7f, 0x45, 0x4c, 0x46])) {
    return problem('is an ELF file without a multiboot header (a vmlinux?)');
  }
  if (INITRD.some(begins)) return { kind: 'initrd' };
  if (file.size % SECTOR === 0 && isDisk(head)) return { kind: 'disk' };
  return problem('is neither a kernel nor an initrd nor a disk image');
}

function hasMultiboot(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  for (let at = 0; at + 12 <= head.length; at += 4) {
    if (view.getUint32(at, true) !== MULTIBOOT) continue;
    const sum = MULTIBOOT + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum % 2 ** 32 === 0) return true;
  }
  return false;
}

/** A boot sector's signature, or an ext file system without one. */
function isDisk(head: Uint8Array): boolean {
  const bootable = head[510] === 0x55 && head[511] === 0xaa;
  const ext = head[0x438] === 0x53 && head[0x439] === 0xef;
  return bootable || ext || head.every((byte) => byte === 0);
}
