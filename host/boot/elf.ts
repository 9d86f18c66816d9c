/**
 * 32-bit ELF executables (System V ABI, i386 supplement): what to load where. Knows no boot
 * protocol.
 */

export interface ElfSegment {
  offset: number;
  virtual: number;
  physical: number;
  fileSize: number;
  memorySize: number;
}

export interface ElfImage {
  entry: number;
  segments: ElfSegment[];
}

const MAGIC = 0x464c457f;
const CLASS_32 = 1;
const LITTLE_ENDIAN = 1;
const MACHINE_386 = 3;
const LOAD = 1;
const HEADER_SIZE = 52;
const PROGRAM_HEADER_SIZE = 32;

export function isElf(file: Uint8Array): boolean {
  return file.length >= 4 && viewOf(file).getUint32(0, true) === MAGIC;
}

/** The loadable parts of an executable; a string says what is wrong with it. */
export function parseElf(file: Uint8Array): ElfImage | string {
  if (file.length < HEADER_SIZE) return 'is a truncated ELF file; fetch it again';
  const view = viewOf(file);
  if (view.getUint8(4) !== CLASS_32) return 'is a 64-bit ELF file; give one built for i386';
  if (view.getUint8(5) !== LITTLE_ENDIAN || view.getUint16(18, true) !== MACHINE_386) {
    return 'is an ELF file for another processor; give one built for i386';
  }
  const table = view.getUint32(28, true);
  const entrySize = view.getUint16(42, true);
  const count = view.getUint16(44, true);
  if (entrySize < PROGRAM_HEADER_SIZE) return 'is no executable ELF file; link it';
  const segments: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entrySize;
    if (at + PROGRAM_HEADER_SIZE > file.length) return 'is a truncated ELF file; fetch it again';
    if (view.getUint32(at, true) !== LOAD) continue;
    const segment = {
      offset: view.getUint32(at + 4, true),
      virtual: view.getUint32(at + 8, true),
      physical: view.getUint32(at + 12, true),
      fileSize: view.getUint32(at + 16, true),
      memorySize: view.getUint32(at + 20, true),
    };
    if (segment.offset + segment.fileSize > file.length) {
      return 'is a truncated ELF file; fetch it again';
    }
    if (segment.memorySize > 0) segments.push(segment);
  }
  if (segments.length === 0) return 'is an ELF file with nothing to load; link it as an executable';
  return { entry: view.getUint32(24, true), segments };
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.length);
}
