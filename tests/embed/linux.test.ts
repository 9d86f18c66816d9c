// A shell of Debian's kernel behind exec(), and the README's example, run as it stands there.

import { execFileSync } from '../lib/commands.ts';
import { cachedGuest } from '../../guests/debian';
import { readFileSync, symlinkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { COMMAND_LINE } from '../lib/command-line';
import { machineOf } from './support';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guest = cachedGuest(root);

describe.skipIf(!guest)('Linux', () => {
  test('runs commands and powers off by its button or its word', async () => {
    const { kernel, initrd } = guest!;
    const machine = await machineOf(kernel, { initrd, append: COMMAND_LINE, memory: 256 });
    machine.run();
    await machine.serial.waitFor(/GUEST-READY[^]*# (\x1b\[6n)?$/, { timeout: 240_000 });
    expect(await machine.exec('uname -sm')).toEqual({ output: 'Linux i686\n', status: 0 });
    const lines = "echo \"it's\"\necho 'two  lines'; false";
    expect(await machine.exec(lines)).toEqual({ output: "it's\ntwo  lines\n", status: 1 });
    const both = await Promise.all([machine.exec('echo 1'), machine.exec('printf 2')]);
    expect(both.map(({ output }) => output)).toEqual(['1\n', '2']);
    // Long enough that Ctrl-C finds the command, not a shell that is about to start it.
    await expect(machine.exec('sleep 100', { timeout: 2000 })).rejects.toMatchObject({
      code: 'timeout',
    });
    machine.serial.write('\x03poweroff -f\n');
    await machine.finished();
  });

  test('boots by the lines of the README', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const example = /```js\n(import { createMachine[^]*?)```/.exec(readme)![1]!;
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(12);
    const folder = mkdtempSync(join(tmpdir(), 'vmi86-readme-'));
    try {
      symlinkSync(guest!.kernel, join(folder, 'bzImage'));
      symlinkSync(guest!.initrd, join(folder, 'initrd.gz'));
      const dist = new URL('../../dist/node/index.js', import.meta.url).href;
      writeFileSync(join(folder, 'main.mjs'), example.replace("'vmi86'", `'${dist}'`));
      const output = execFileSync(process.execPath, ['main.mjs'], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 240_000,
      });
      expect(output).toMatch(/Linux .* i686 GNU\/Linux/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
