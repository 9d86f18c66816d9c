// The cpio "newc" archive that Linux unpacks as its first root file system
// (Documentation/driver-api/early-userspace/buffer-format.rst in the kernel's tree).
// Owns the format only: it reads no file and compresses nothing.

export type Entry =
  | { kind: 'folder'; path: string; mode?: number }
  | { kind: 'file'; path: string; mode?: number; data: Uint8Array }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'device'; path: string; mode?: number; major: number; minor: number };

const TYPE_FOLDER = 0o040000;
const TYPE_FILE = 0o100000;
const TYPE_LINK = 0o120000;
const TYPE_CHARACTER_DEVICE = 0o020000;

const HEADER_SIZE = 110;
const TRAILER = 'TRAILER!!!';

interface Member {
  path: string;
  inode: number;
  mode: number;
  links: number;
  major: number;
  minor: number;
  data: Uint8Array;
}

/** The archive, padded to 512 bytes as cpio itself pads it. Times and owners are all zero, so equal input gives equal bytes. */
export function cpio(entries: Entry[]): Uint8Array {
  const members = entries.map((entry, index) => member(entry, index + 1));
  members.push({
    path: TRAILER,
    inode: 0,
    mode: 0,
    links: 1,
    major: 0,
    minor: 0,
    data: new Uint8Array(),
  });

  const encoder = new TextEncoder();
  const size = members.reduce(
    (sum, m) => sum + align(HEADER_SIZE + encoder.encode(m.path).length + 1) + align(m.data.length),
    0,
  );
  const archive = new Uint8Array(Math.ceil(size / 512) * 512);
  let offset = 0;
  for (const m of members) {
    const name = encoder.encode(`${m.path}\0`);
    archive.set(encoder.encode(header(m, name.length)), offset);
    archive.set(name, offset + HEADER_SIZE);
    offset += align(HEADER_SIZE + name.length);
    archive.set(m.data, offset);
    offset += align(m.data.length);
  }
  return archive;
}

function member(entry: Entry, inode: number): Member {
  const path = entry.path.replace(/^\/+/, '');
  const common = { path, inode, links: 1, major: 0, minor: 0, data: new Uint8Array() };
  switch (entry.kind) {
    case 'folder':
      return { ...common, mode: TYPE_FOLDER | (entry.mode ?? 0o755), links: 2 };
    case 'file':
      return { ...common, mode: TYPE_FILE | (entry.mode ?? 0o644), data: entry.data };
    case 'link':
      return { ...common, mode: TYPE_LINK | 0o777, data: new TextEncoder().encode(entry.target) };
    case 'device':
      return {
        ...common,
        mode: TYPE_CHARACTER_DEVICE | (entry.mode ?? 0o600),
        major: entry.major,
        minor: entry.minor,
      };
  }
}

function header(m: Member, nameSize: number): string {
  const fields = [m.inode, m.mode, 0, 0, m.links, 0, m.data.length, 0, 0, m.major, m.minor];
  return '070701' + [...fields, nameSize, 0].map(hex8).join('');
}

function hex8(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}

function align(size: number): number {
  return (size + 3) & ~3;
}
