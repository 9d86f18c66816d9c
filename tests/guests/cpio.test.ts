// The archive against a program that did not come from us: the guest's busybox where this system
// runs it, else the system's cpio; and, where neither is, the fields of the format itself.

import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { execFileSync, spawnSync } from '../lib/commands.ts';
import { cachedGuest } from '../../guests/debian';
import { cpio, type Entry } from '../../guests/cpio';

const root = fileURLToPath(new URL('../..', import.meta.url));

const ENTRIES: Entry[] = [
  { kind: 'folder', path: 'dir' },
  { kind: 'file', path: 'dir/empty', data: new Uint8Array() },
  { kind: 'file', path: '/dir/five', mode: 0o755, data: new TextEncoder().encode('12345') },
  { kind: 'file', path: 'größe', data: new Uint8Array(4099).fill(0xa5) },
  { kind: 'link', path: 'link', target: 'dir/five' },
];

function extractor(): string[] | undefined {
  const busybox = cachedGuest(root)?.busybox;
  for (const command of [[busybox ?? '', 'cpio'], ['cpio']]) {
    const { status } = spawnSync(command[0]!, [...command.slice(1), '-t'], {
      input: cpio([]),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    if (status === 0) return command;
  }
  return undefined;
}

describe('cpio', () => {
  const program = extractor();
  const folder = mkdtempSync(join(tmpdir(), 'vmi86-cpio-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes header fields as eight hexadecimal digits, members at multiples of four', () => {
    const archive = cpio(ENTRIES);
    const text = new TextDecoder('latin1').decode(archive);
    expect(archive.length % 512).toBe(0);
    expect(text.slice(0, 6)).toBe('070701');
    expect(text.slice(6, 110)).toMatch(/^[0-9A-F]{104}$/);
    for (const { index } of text.matchAll(/070701/g)) expect(index % 4).toBe(0);
    expect(text).toContain('TRAILER!!!');
    const five = text.indexOf('dir/five\0') - 110;
    expect(parseInt(text.slice(five + 14, five + 22), 16)).toBe(0o100755);
    expect(parseInt(text.slice(five + 54, five + 62), 16)).toBe(5);
  });

  it('gives equal bytes for equal input', () => {
    expect(cpio(ENTRIES)).toEqual(cpio(ENTRIES));
  });

  it('writes devices with their numbers', () => {
    const text = new TextDecoder('latin1').decode(
      cpio([{ kind: 'device', path: 'dev/console', major: 5, minor: 1 }]),
    );
    expect(parseInt(text.slice(14, 22), 16)).toBe(0o020600);
    expect(parseInt(text.slice(78, 86), 16)).toBe(5);
    expect(parseInt(text.slice(86, 94), 16)).toBe(1);
  });

  it.skipIf(!program)('unpacks with busybox or cpio to what went in', () => {
    const [command, ...args] = program!;
    execFileSync(command!, [...args, '-i', '-d'], {
      cwd: folder,
      input: cpio(ENTRIES),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    expect(readFileSync(join(folder, 'dir/five'), 'latin1')).toBe('12345');
    expect(statSync(join(folder, 'dir/five')).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, 'dir/empty')).size).toBe(0);
    expect(readFileSync(join(folder, 'größe'))).toEqual(Buffer.alloc(4099, 0xa5));
    expect(readlinkSync(join(folder, 'link'))).toBe('dir/five');
    expect(existsSync(join(folder, 'TRAILER!!!'))).toBe(false);
  });
});
