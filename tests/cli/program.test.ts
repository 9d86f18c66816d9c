// The program as a process: what it prints where, and its exit statuses, with guests of a few bytes.

import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execFileSync, spawnSync } from '../lib/commands.ts';
import {
  ECHO,
  FAULT_FOR_EVER,
  FAULT_IN_FAULT,
  FAULT_OFTEN,
  HALT_FOR_EVER,
  JUMP_TO_NOWHERE,
  LINE_READY,
  multiboot,
  print,
  SPIN,
  STACK,
  TRIPLE_FAULT,
} from './images';
import { Program, PROGRAM, vmi86 } from './program';

const folder = mkdtempSync(join(tmpdir(), 'vmi86-cli-'));
const path = (name: string): string => join(folder, name);

beforeAll(() => {
  writeFileSync(path('hello'), multiboot([...print('hello\n'), ...SPIN]));
  writeFileSync(path('halt'), multiboot([...print('halt\n'), ...HALT_FOR_EVER]));
  writeFileSync(path('triple'), multiboot([...STACK, ...print('triple\n'), ...TRIPLE_FAULT]));
  writeFileSync(path('nowhere'), multiboot([...STACK, ...JUMP_TO_NOWHERE]));
  writeFileSync(path('echo'), multiboot([...LINE_READY, ...print('ready\n'), ...ECHO]));
  writeFileSync(path('returns'), multiboot(FAULT_FOR_EVER));
  writeFileSync(path('nested'), multiboot(FAULT_IN_FAULT));
  writeFileSync(path('often'), multiboot(FAULT_OFTEN));
  writeFileSync(path('text'), 'This is no kernel.\n'.repeat(1000));
  writeFileSync(path('empty'), '');
  writeFileSync(path('odd'), Buffer.alloc(700));
  writeFileSync(path('huge'), '');
  truncateSync(path('huge'), 100 * 2 ** 20);
  const bzImage = Buffer.alloc(4096);
  bzImage.write('HdrS', 0x202, 'latin1');
  bzImage.writeUInt16LE(0xaa55, 0x1fe);
  bzImage.writeUInt16LE(0x020f, 0x206);
  bzImage[0x1f1] = 30;
  writeFileSync(path('truncated'), bzImage);
  mkdirSync(path('folder'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('bad input', () => {
  it.each([
    [['--kernel', path('missing')], /--kernel .*missing: no such file/],
    [['--kernel', path('folder')], /--kernel .*folder: is a folder/],
    [['--kernel', path('empty')], /--kernel/],
    [['--kernel', path('text')], /--kernel/],
    [['--kernel', path('truncated')], /--kernel/],
    [['--kernel', path('hello'), '--initrd', path('missing')], /--initrd .*: no such file/],
    [['--kernel', path('hello'), '--initrd', path('huge'), '--memory', '64'], /--initrd/],
    [['--kernel', path('hello'), '--disk', path('missing')], /--disk .*: no such file/],
    [['--kernel', path('hello'), '--disk', path('folder')], /--disk .*: is a folder/],
    [['--kernel', path('hello'), '--disk', path('folder') + ',readonly'], /--disk .*: is a folder/],
    [['--kernel', path('hello'), '--disk', path('odd')], /--disk .*512-byte sectors/],
    [['--kernel', path('hello'), '--disk', path('empty')], /--disk/],
    [['--kernel', path('hello'), '--stats', path('no/such/folder')], /--stats .*: no such file/],
    [['--kernel', path('hello'), '--memory', '15'], /--memory 15: /],
    [['--kernel', path('hello'), '--memory', '99999'], /--memory 99999: /],
    [['--what'], /--what: unknown option/],
    [[], /--kernel: is missing/],
  ])('%j ends with one line and status 2', async (args, message) => {
    const { status, output, errors } = await vmi86(...args);
    expect(errors).toMatch(message);
    expect(errors).toMatch(/^vmi86: [^\n]+\n$/);
    expect(output).toBe('');
    expect(status).toBe(2);
  });
});

describe.each([['jit'], ['no-jit']])('a run, %s', (tier) => {
  const options = tier === 'jit' ? [] : ['--no-jit'];
  const run = (kernel: string, ...args: string[]): ReturnType<typeof vmi86> =>
    vmi86('--kernel', path(kernel), '--memory', '16', ...options, ...args);

  it('ends with 0 as soon as the output matches', async () => {
    const { status, output, errors } = await run('hello', '--expect', 'h.llo$', '--timeout', '60');
    expect({ status, output, errors }).toEqual({ status: 0, output: 'hello\n', errors: '' });
  });

  it('ends with 3 at the timeout', async () => {
    const { status, output, errors } = await run('hello', '--expect', 'bye', '--timeout', '0.5');
    expect({ status, output }).toEqual({ status: 3, output: 'hello\n' });
    expect(errors).toMatch(/^vmi86: timeout after 0\.5 s\n$/);
  });

  it.each([
    ['halt', /interrupts/],
    ['triple', /triple fault/i],
    ['nowhere', /deadbeef/i],
  ])('ends with 4 and the state when the guest cannot go on: %s', async (kernel, reason) => {
    const { status, errors } = await run(kernel, '--timeout', '60');
    expect(errors).toMatch(reason);
    expect(errors).toMatch(/eip/i);
    expect(errors).not.toMatch(/\bat .*:\d+:\d+/);
    expect(status).toBe(4);
  });

  it('tells the chain of faults and the instructions before it', async () => {
    const { errors } = await run('triple', '--timeout', '60');
    expect(errors).toMatch(
      /ud2 +#UD\n.*#GP\(0033\) while #UD was delivered\n.*#GP\(006b\) while #GP was delivered: #DF\n.*#GP\(0043\) while #DF was delivered: shutdown\n/,
    );
    expect(errors).toMatch(
      /mov al, 0xa\n.*out dx, al\n.*push 0x0\n.*push 0x0\n.*lidt \[esp\]\n> .*0f 0b +ud2\n/,
    );
  });

  it('tells the instructions before a halt for ever', async () => {
    const { errors } = await run('halt', '--timeout', '60');
    expect(errors).toMatch(/out dx, al\n.* fa +cli\n> .* f4 +hlt\n/);
  });

  it.each([
    ['returns', /the same fault again and again/, /iret\n {2}\.\.\.\n> .*ud2\n/],
    ['nested', /100000 faults in a row/, /> .*ud2\n/],
  ])('ends with 4 when the guest loops in faults: %s', async (kernel, reason, code) => {
    const { status, errors } = await run(kernel, '--timeout', '60');
    expect(errors).toMatch(reason);
    expect(errors).toMatch(code);
    expect(status).toBe(4);
  });

  it('bears with a guest that only faults as long as anything changes', async () => {
    const { status, output } = await run('often', '--expect', 'done', '--timeout', '100');
    expect({ status, output }).toEqual({ status: 0, output: 'done\n' });
  });

  it('times out on the virtual clock while the guest faults', async () => {
    const { status } = await run('returns', '--clock', 'virtual', '--timeout', '0.5');
    expect(status).toBe(3);
  });

  it('writes statistics', async () => {
    await run('hello', '--expect', 'hello', '--stats', path('stats.json'));
    const stats = JSON.parse(readFileSync(path('stats.json'), 'utf8')) as Record<string, unknown>;
    expect(stats).toMatchObject({ ended: 'expected output', wallSeconds: expect.any(Number) });
  });

  it('gives the guest what comes on stdin, and quits on Ctrl-A x', async () => {
    const program = new Program(['--kernel', path('echo'), '--memory', '16', ...options]);
    await program.see(/ready\n/, 60);
    program.type('abc\x01\x01def\n');
    await program.see(/ready\nabc\x01def\n/, 60);
    program.type('\x01h\x01x');
    const { status, errors } = await program.ended;
    expect(errors).toMatch(/Ctrl-A x {2}quit/);
    expect(status).toBe(0);
  });
});

describe('a run', () => {
  it('stops, and says nothing, when nobody reads its output', async () => {
    const program = new Program(['--kernel', path('echo'), '--memory', '16']);
    await program.see(/ready/, 60);
    program.closeOutput();
    program.type('more\n');
    const { status, errors } = await program.ended;
    expect({ status, errors }).toEqual({ status: 141, errors: '' });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends on %s with status %d', async (signal, expected) => {
    const program = new Program(['--kernel', path('echo'), '--memory', '16']);
    await program.see(/ready/, 60);
    program.kill(signal);
    expect((await program.ended).status).toBe(expected);
  });

  it('writes statistics while it runs, on SIGUSR2', async () => {
    const file = path('live.json');
    const program = new Program(['--kernel', path('echo'), '--memory', '16', '--stats', file]);
    await program.see(/ready/, 60);
    program.kill('SIGUSR2');
    await expect
      .poll(() => readFileSync(file, 'utf8'), { timeout: 20_000 })
      .toContain('"ended": null');
    program.type('\x01x');
    await program.ended;
    expect(readFileSync(file, 'utf8')).toContain('"ended": "quit by the user"');
  });
});

// util-linux's script(1) gives a process a terminal of its own.
const scripted = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

describe.skipIf(!scripted)('on a terminal', () => {
  const onTerminal = (kernel: string, ...args: string[]): Program => {
    const words = [process.execPath, PROGRAM, '--kernel', path(kernel), '--memory', '16', ...args];
    // The modes before and after, as the terminal itself tells them.
    const line = `stty -g; ${words.map((word) => `'${word}'`).join(' ')}; echo "status $?"; stty -g`;
    return new Program(['-qec', line, '/dev/null'], ['script']);
  };
  const modes = (output: string): string[] => output.match(/^[0-9a-f]+(:[0-9a-f]+)+/gm) ?? [];

  it('is raw while it runs, and as before after Ctrl-A x', async () => {
    const program = onTerminal('echo');
    await program.see(/ready/, 60);
    program.type('\x03'); // in raw mode Ctrl-C is the guest's
    program.type('still here');
    await program.see(/ready\r*\n\x03still here/, 60);
    program.type('\x01x');
    const { output } = await program.ended;
    expect(output).toMatch(/status 0/);
    const [before, after] = modes(output);
    expect(before).toBeDefined();
    expect(after).toBe(before);
  });

  it.each([
    ['halt', 4],
    ['triple', 4],
  ])('is as before when the guest dies: %s', async (kernel, status) => {
    const { output } = await onTerminal(kernel).ended;
    expect(output).toContain(`status ${status}`);
    const [before, after] = modes(output);
    expect(after).toBe(before);
  });
});

it('is installed as a program: it has a first line for the shell', () => {
  // npx runs the file itself.
  expect(statSync(PROGRAM).mode & 0o111).toBe(0o111);
  expect(execFileSync('head', ['-n1', PROGRAM], { encoding: 'utf8' })).toBe(
    '#!/usr/bin/env node\n',
  );
});

describe('translations', () => {
  // A loop of 200,000 rounds, then text, then a loop for ever.
  const LOOP = [0xb9, 0x40, 0x0d, 0x03, 0x00, 0x49, 0x75, 0xfd];
  const args = (file: string) => [
    ...['--kernel', path('loop'), '--expect', 'done', '--timeout', '60'],
    ...['--translations', path(file), '--stats', path('loop.json')],
  ];
  const counts = () =>
    (JSON.parse(readFileSync(path('loop.json'), 'utf8')) as { translations?: { loaded: number } })
      .translations;
  beforeAll(() => writeFileSync(path('loop'), multiboot([...LOOP, ...print('done\n'), ...SPIN])));

  it('are saved and used', async () => {
    const first = await vmi86(...args('kept'));
    expect(first).toMatchObject({ status: 0, errors: '' });
    expect(counts()).toBeUndefined();
    const second = await vmi86(...args('kept'));
    expect(second).toMatchObject({ status: 0, errors: '', output: first.output });
    expect(counts()!.loaded).toBeGreaterThan(0);
  });

  it('that are damaged cost a line, and are replaced', async () => {
    await vmi86(...args('bad'));
    const bytes = readFileSync(path('bad'));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path('bad'), bytes);
    const run = await vmi86(...args('bad'));
    expect(run.status).toBe(0);
    expect(run.errors).toMatch(/^vmi86: --translations \S+ is damaged; .*\n$/);
    expect(await vmi86(...args('bad'))).toMatchObject({ status: 0, errors: '' });
    expect(counts()!.loaded).toBeGreaterThan(0);
  });

  it('are bundled', async () => {
    await vmi86(...args('one'));
    await vmi86(...args('one'));
    const bundled = await vmi86('bundle', path('all'), path('one'), path('one'));
    expect(bundled.status).toBe(0);
    expect(bundled.errors).toMatch(/^vmi86: \d+ regions of \d+ in .*\n$/);
    expect(await vmi86(...args('all'))).toMatchObject({ status: 0, errors: '' });
    expect(counts()!.loaded).toBeGreaterThan(0);
  });

  it('cannot be bundled of what is none', async () => {
    const run = await vmi86('bundle', path('all'), path('text'));
    expect(run.status).toBe(2);
    expect(run.errors).toMatch(/^vmi86: bundle: \S+text is no file of translations\n$/);
  });
});
