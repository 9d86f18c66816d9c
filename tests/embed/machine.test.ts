// The package's interface, once with the machine in this thread and once in a worker: both must do
// the same.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { State } from '../../host/embed/types';
import { ECHO_UNTIL_Q, FOREVER, kernel, POWER_OFF, say, show, TRIPLE_FAULT } from '../lib/kernels';
import { createMachine, LIMIT, machineOf, VmError } from './support';

const HELLO = kernel(...say('hello\n'), ...POWER_OFF);
const ECHO = kernel(...say('ready\n'), ...ECHO_UNTIL_Q, ...POWER_OFF);

const folder = mkdtempSync(join(tmpdir(), 'vmi86-embed-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['in this thread', false],
  ['in a worker', true],
])('a machine %s', (_, worker) => {
  test('runs to its power-off, and tells', async () => {
    const states: State[] = [];
    const bytes: number[] = [];
    let poweroffs = 0;
    const machine = await machineOf(HELLO, {
      worker,
      on: { state: (state) => states.push(state) },
    });
    machine.on('serial', (data) => bytes.push(...data));
    machine.on('poweroff', () => poweroffs++);
    expect(machine.state).toBe('paused');
    machine.run();
    await machine.finished();
    expect(states).toEqual(['running', 'off']);
    expect(String.fromCharCode(...bytes)).toBe('hello\n');
    expect(machine.serial.text).toBe('hello\n');
    expect(poweroffs).toBe(1);
    await machine.finished(); // again: it stays finished
  });

  test('gives its translations to the next', async () => {
    // mov ecx, 200000; dec ecx; jnz $-1
    const loop = kernel(
      0xb9,
      0x40,
      0x0d,
      0x03,
      0,
      0x49,
      0x75,
      0xfd,
      ...say('done\n'),
      ...POWER_OFF,
    );
    const first = await machineOf(loop, { worker, translations: true });
    first.run();
    await first.finished();
    const translations = await first.translations();
    const second = await machineOf(loop, { worker, translations });
    second.run();
    await second.finished();
    expect(second.serial.text).toBe('done\n');
    expect((await second.stats()).translations).toMatchObject({ loaded: 1, rejected: 0 });
    // Of no use, and no reason not to run.
    const third = await machineOf(loop, { worker, translations: translations.slice(0, 99) });
    third.run();
    await third.finished();
    expect((await third.stats()).translations).toEqual({ unusable: 'is damaged' });
    const fourth = await machineOf(loop, { worker });
    await expect(fourth.translations()).rejects.toThrow('were not kept');
  });

  test('takes what is written, and waits for what is said', async () => {
    const machine = await machineOf(ECHO, { worker });
    machine.run();
    expect((await machine.serial.waitFor(/re(ad)y/, LIMIT)).match).toEqual(['ready', 'ad']);
    const first = machine.serial.waitFor('abc', LIMIT);
    const second = machine.serial.waitFor(/d./, LIMIT);
    machine.serial.write('abcdef');
    expect((await first).text).toBe('\nabc');
    expect((await second).text).toBe('de');
    await expect(machine.serial.waitFor('never', { timeout: 50 })).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('last output'),
    });
    const ended = machine.serial.waitFor('never');
    machine.serial.write(new Uint8Array([0x51]));
    await expect(ended).rejects.toMatchObject({ code: 'ended' });
  });

  test('gives its serial line as streams', async () => {
    const machine = await machineOf(ECHO, { worker });
    const { readable, writable } = machine.serial;
    machine.run();
    const writer = writable.getWriter();
    await writer.write('streamed');
    await writer.write('Q');
    let text = '';
    const reader = readable.getReader();
    while (!text.includes('Q')) {
      const { value } = await reader.read();
      text += new TextDecoder().decode(value);
    }
    expect(text).toBe('ready\nstreamedQ');
    await machine.finished();
  });

  test('pauses, and time with it', async () => {
    const machine = await machineOf(kernel(...FOREVER), { worker });
    machine.run();
    await new Promise((resolve) => setTimeout(resolve, 100));
    machine.pause();
    expect(machine.state).toBe('paused');
    const before = await machine.stats();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const after = await machine.stats();
    expect(after.instructions.total).toBe(before.instructions.total);
    expect(before.instructions.total).toBeGreaterThan(0);
    machine.run();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const resumed = await machine.stats();
    expect(resumed.instructions.total).toBeGreaterThan(after.instructions.total);
    expect(resumed.guestSeconds - after.guestSeconds).toBeLessThan(0.19);
  });

  test('resets: while it runs, after its end, after its death', async () => {
    const machine = await machineOf(ECHO, { worker });
    machine.run();
    await machine.serial.waitFor('ready', LIMIT);
    machine.reset();
    await machine.serial.waitFor('ready', LIMIT);
    machine.serial.write('Q');
    await machine.finished();
    machine.reset();
    expect(machine.state).toBe('running');
    await machine.serial.waitFor('ready', LIMIT);
    expect((await machine.stats()).resets).toBe(2);
  });

  test('reports a guest that died, with its registers', async () => {
    const machine = await machineOf(kernel(...TRIPLE_FAULT), { worker });
    const failure = new Promise((resolve) => machine.on('failure', resolve));
    machine.run();
    expect(await failure).toEqual({
      reason: 'triple fault',
      registers: expect.stringMatching(/eip 0010/),
    });
    expect(machine.state).toBe('failed');
    await expect(machine.finished()).rejects.toMatchObject({
      code: 'ended',
      message: expect.stringContaining('triple fault'),
    });
  });

  test('shows its text screen', async () => {
    const machine = await machineOf(kernel(...show('screen'), ...say('.'), ...FOREVER), { worker });
    machine.run();
    await machine.serial.waitFor('.', LIMIT);
    const { lines, cursor } = await machine.screen.read();
    expect(lines[0]).toBe('screen');
    expect(lines).toHaveLength(25);
    expect(cursor).toHaveProperty('row');
    expect(await machine.registers()).toMatch(/^eax/);
  });

  test('takes images as bytes, Blobs, paths, URLs', async () => {
    const path = join(folder, 'hello.elf');
    writeFileSync(path, HELLO);
    const data = `data:application/octet-stream;base64,${Buffer.from(HELLO).toString('base64')}`;
    const copy = new Uint8Array(HELLO);
    for (const image of [
      copy,
      copy.buffer,
      new Blob([copy]),
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      data,
    ]) {
      const machine = await machineOf(image, { worker });
      machine.run();
      await machine.finished();
      expect(machine.serial.text).toBe('hello\n');
    }
  });

  test('keeps what the translator made, for inspection', async () => {
    const loop = [0xb9, 0, 0, 0, 8, 0x49, 0x75, 0xfd]; // mov ecx, 8000000h; next: dec ecx; jnz next
    const machine = await machineOf(kernel(...loop, ...say('.'), ...FOREVER), {
      worker,
      inspect: true,
    });
    machine.run();
    await machine.serial.waitFor('.', LIMIT);
    const regions = await machine.translator.regions();
    expect(regions.length).toBeGreaterThan(0);
    const region = await machine.translator.region(regions[0]!.id);
    expect([...region!.module.subarray(0, 4)]).toEqual([0, 0x61, 0x73, 0x6d]);
    const at = region!.code.find(({ bytes }) => bytes[0] === 0x49);
    expect([...at!.bytes.subarray(0, 3)]).toEqual([0x49, 0x75, 0xfd]);
    expect(await machine.translator.region(-1)).toBeUndefined();
  });

  test('refuses everything once it is destroyed', async () => {
    const machine = await machineOf(kernel(...FOREVER), { worker });
    machine.run();
    const waiting = expect(machine.serial.waitFor('x')).rejects.toMatchObject({ code: 'ended' });
    await machine.destroy();
    await machine.destroy();
    await waiting;
    expect(machine.state).toBe('destroyed');
    expect(() => machine.run()).toThrow(VmError);
    await expect(machine.stats()).rejects.toMatchObject({ code: 'state' });
  });

  test.each([
    ['a kernel that is none', { kernel: new Uint8Array(2000) }, 'image', /^kernel: /],
    ['an empty kernel', { kernel: new Uint8Array() }, 'image', /^kernel: is empty/],
    ['a file that is not there', { kernel: '/nowhere/bzImage' }, 'load', /no such file/],
    ['a URL that fails', { kernel: 'http://127.0.0.1:9/bzImage' }, 'load', /^kernel http:.*check/],
    ['too little memory', { kernel: HELLO, memory: 1 }, 'option', /^memory: too small/],
    ['half a MiB', { kernel: HELLO, memory: 16.5 }, 'option', /whole number/],
    ['a disk of odd size', { kernel: HELLO, disk: new Uint8Array(700) }, 'image', /^disk: 700/],
    ['a wrong core', { kernel: HELLO, core: new Uint8Array(8) }, 'load', /is not WebAssembly/],
  ])('says what is wrong: %s', async (_, options, code, message) => {
    const attempt = createMachine({ memory: 16, worker, ...options });
    await expect(attempt).rejects.toMatchObject({ name: 'VmError', code });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(/[;,]/); // and what to do
  });
});

describe('machines', () => {
  test('share nothing: three at once, of both kinds', async () => {
    const machines = await Promise.all(
      [false, true, false].map((worker) => machineOf(ECHO, { worker })),
    );
    for (const machine of machines) machine.run();
    await Promise.all(machines.map(({ serial }) => serial.waitFor('ready', LIMIT)));
    machines.forEach((machine, i) => machine.serial.write(`<${i}>Q`));
    await Promise.all(machines.map((machine) => machine.finished()));
    expect(machines.map(({ serial }) => serial.text)).toEqual([
      'ready\n<0>Q',
      'ready\n<1>Q',
      'ready\n<2>Q',
    ]);
  });

  test('on the virtual clock run alike', async () => {
    const counts = [];
    for (let i = 0; i < 2; i++) {
      const machine = await machineOf(HELLO, { clock: 'virtual' });
      machine.run();
      await machine.finished();
      const { instructions, guestSeconds } = await machine.stats();
      counts.push({ instructions, guestSeconds });
    }
    expect(counts[0]).toEqual(counts[1]);
  });

  test('share a compiled core', async () => {
    const bytes = readFileSync(new URL('../../dist/core.wasm', import.meta.url));
    const module = await WebAssembly.compile(bytes);
    const machine = await machineOf(HELLO, { core: { bytes: new Uint8Array(bytes), module } });
    machine.run();
    await machine.finished();
  });

  test('know their options', async () => {
    const bad = (options: object): Promise<unknown> =>
      createMachine({ kernel: HELLO, ...options } as never);
    await expect(bad({ memmory: 64 })).rejects.toThrow(/^memmory: there is no such option/);
    await expect(bad({ clock: 'fast' })).rejects.toThrow('clock: fast; give host or virtual');
    await expect(bad({ on: { power: () => {} } })).rejects.toThrow('on.power');
    await expect(bad({ kernel: undefined })).rejects.toThrow(/^kernel: is missing/);
    await expect(createMachine(undefined as never)).rejects.toThrow(/object of options/);
  });

  test('say when memory cannot be had', async () => {
    const { grow } = WebAssembly.Memory.prototype;
    WebAssembly.Memory.prototype.grow = () => {
      throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
    };
    try {
      await expect(machineOf(HELLO, { memory: 64 })).rejects.toMatchObject({
        code: 'memory',
        message: 'memory: cannot get 64 MiB here; give less',
      });
    } finally {
      WebAssembly.Memory.prototype.grow = grow;
    }
  });

  test('stop loading when told to', async () => {
    const signal = AbortSignal.abort();
    await expect(machineOf('http://127.0.0.1:9/', { signal })).rejects.toThrow(/abort/);
  });

  test('survive a worker that cannot start', async () => {
    const worker = new URL('file:///nowhere/worker.js');
    await expect(machineOf(HELLO, { worker })).rejects.toMatchObject({ code: 'worker' });
  });
});
