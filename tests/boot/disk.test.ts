// What a guest writes to --disk is on the image afterwards, as another program reads it.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { execFileSync, spawnSync } from '../lib/commands.ts';
import type { Program } from '../cli/program';
import { bootToPrompt, command, guest, TIERS } from './guest';

const ENV = { ...process.env, PATH: `${process.env['PATH']}:/sbin:/usr/sbin` };
const tools = ['mke2fs', 'debugfs', 'e2fsck'].every(
  (tool) => spawnSync(tool, ['-V'], { env: ENV }).error === undefined,
);
if (!tools) console.warn('Disk tests are skipped: install e2fsprogs.');

const folder = mkdtempSync(join(tmpdir(), 'vmi86-disk-'));
afterAll(() => rmSync(folder, { recursive: true }));

let program: Program | undefined;
afterEach(() => program?.kill());

const run = (tool: string, ...args: string[]): string =>
  execFileSync(tool, args, { env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

function image(name: string, type: string): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, 16 * 2 ** 20);
  run('mke2fs', '-q', '-F', '-t', type, path);
  return path;
}

describe.skipIf(!guest || !tools)('--disk', () => {
  it.each(TIERS)('keeps what was written, %s', async (tier, options) => {
    const path = image(`${tier}.ext2`, 'ext2');
    program = await bootToPrompt([...options, '--disk', path], 'disk');
    await command(program, 'mount /dev/sda /mnt && mkdir /mnt/dir && cp /bin/busybox /mnt/dir/');
    await command(program, 'echo from the guest > /mnt/note; umount /mnt');
    program.type('poweroff -f\n');
    expect((await program.ended).status).toBe(0);

    expect(run('debugfs', '-R', 'cat note', path)).toBe('from the guest\n');
    run('debugfs', '-R', `dump dir/busybox ${join(folder, 'copy')}`, path);
    if (guest!.busybox)
      expect(readFileSync(join(folder, 'copy'))).toEqual(readFileSync(guest!.busybox));
    run('e2fsck', '-f', '-n', path);
  });

  it('reads what was there before, and ext4 with its journal', async () => {
    const path = image('data.ext4', 'ext4');
    writeFileSync(join(folder, 'seed'), 'x'.repeat(100_000));
    run('debugfs', '-w', '-R', `write ${join(folder, 'seed')} seed`, path);
    program = await bootToPrompt(['--disk', path], 'disk');
    await command(program, 'mount /dev/sda /mnt');
    expect(await command(program, 'wc -c < /mnt/seed; md5sum < /mnt/seed')).toMatch(
      /^100000\nd5816f35916d1d9482fb0f1ec201101d /,
    );
    await command(program, 'cp /mnt/seed /mnt/copy; sync');
    // Quitting is not the guest's power-off; what it had synced must be there all the same.
    program.type('\x01x');
    expect((await program.ended).status).toBe(0);
    spawnSync('e2fsck', ['-f', '-y', path], { env: ENV });
    expect(run('debugfs', '-R', 'cat copy', path).length).toBe(100_000);
  });

  it('refuses writes to a read-only disk', async () => {
    const path = image('readonly.ext2', 'ext2');
    const before = readFileSync(path);
    program = await bootToPrompt(['--disk', `${path},readonly`], 'disk');
    const output = await command(
      program,
      'dd if=/bin/busybox of=/dev/sda bs=512 count=8 conv=fsync; mount -o ro /dev/sda /mnt && ls /mnt',
    );
    expect(output).toContain('lost+found');
    program.type('poweroff -f\n');
    expect((await program.ended).status).toBe(0);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});
