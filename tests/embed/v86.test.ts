// vmi86/v86: programs as v86's readers know them from its documentation, with their own words.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ECHO_UNTIL_Q, FOREVER, kernel, POWER_OFF, say, show } from '../lib/kernels';
import { V86 } from './support';

const folder = mkdtempSync(join(tmpdir(), 'vmi86-v86-'));
const path = join(folder, 'guest.elf');
writeFileSync(path, kernel(...say('ready\n'), ...ECHO_UNTIL_Q, ...POWER_OFF));
afterAll(() => rmSync(folder, { recursive: true }));

const MIB = 1024 * 1024;

test('a serial terminal: bytes out by event, text in by serial0_send', async () => {
  const emulator = new V86({
    bios: { url: '../../bios/seabios.bin' },
    vga_bios: { url: '../../bios/vgabios.bin' },
    bzimage: { url: path },
    cmdline: 'tsc=reliable mitigations=off random.trust_cpu=on',
    memory_size: 32 * MIB,
    vga_memory_size: 2 * MIB,
    autostart: true,
  });
  const files: string[] = [];
  emulator.add_listener('download-progress', ({ file_name, loaded, total }) => {
    if (loaded === total) files.push(file_name);
  });
  const order: string[] = [];
  for (const name of ['loaded', 'ready', 'started', 'stopped'] as const) {
    emulator.add_listener(`emulator-${name}`, () => order.push(name));
  }
  let text = '';
  const stopped = new Promise<void>((resolve) =>
    emulator.add_listener('emulator-stopped', () => resolve()),
  );
  emulator.add_listener('serial0-output-byte', (byte) => {
    text += String.fromCharCode(byte);
    if (text.endsWith('ready\n')) emulator.serial0_send('ls\n');
    if (text.endsWith('ls\n')) emulator.serial_send_bytes(0, new Uint8Array([0x51]));
  });
  await stopped;
  expect(text).toBe('ready\nls\nQ');
  expect(order).toEqual(['loaded', 'ready', 'started', 'stopped']);
  expect(files.sort()).toEqual([path, 'core.wasm'].sort());
  expect(emulator.is_running()).toBe(false);
  await emulator.destroy();
});

test('run() before anything is loaded, stop(), and the screen', async () => {
  const div = { textContent: null as string | null };
  const emulator = new V86({
    multiboot: { buffer: kernel(...show('hello'), ...FOREVER) },
    screen_container: { getElementsByTagName: () => [div] },
  });
  await emulator.run();
  expect(await emulator.wait_until_vga_screen_contains('hello', { timeout_msec: 30_000 })).toBe(
    true,
  );
  expect(await emulator.wait_until_vga_screen_contains(/bye/, { timeout_msec: 10 })).toBe(false);
  expect(emulator.is_running()).toBe(true);
  await expect.poll(() => div.textContent, { timeout: 30_000 }).toContain('hello');
  await emulator.stop();
  expect(emulator.is_running()).toBe(false);
  await emulator.destroy();
});

test('a download that fails is an event', async () => {
  const emulator = new V86({ bzimage: { url: join(folder, 'nothing') } });
  const error = await new Promise<{ message: string }>((resolve) =>
    emulator.add_listener('download-error', resolve),
  );
  expect(error.message).toMatch(/^kernel .*: no such file/);
});

test('what is not supported is said at once', () => {
  const options = { cdrom: { url: 'linux.iso' }, autostart: true } as object;
  expect(() => new V86(options)).toThrow(/cdrom is not supported; there are/);
  expect(() => new V86({ hda: { url: 'disk' } })).toThrow(/give bzimage or multiboot/);
});
