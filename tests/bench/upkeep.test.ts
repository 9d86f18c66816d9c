// What a process costs, asked of processes that are known.

import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { upkeep } from '../../bench/upkeep.ts';

const COUNTS = { instructions: 1000, translateMilliseconds: 3, compileMilliseconds: 1 };

/** MiB that a program holds on to. */
const HELD = 200;

async function figuresOf(program: string) {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    return (await upkeep(child.pid!, 100, COUNTS, { settle: 0, wait: 1 }))!;
  } finally {
    child.kill('SIGKILL');
  }
}

it.runIf(process.platform === 'linux')('tells a busy program from a waiting one', async () => {
  const busy = await figuresOf('console.log("here"); setTimeout(() => { for (;;); })');
  const waiting = await figuresOf('console.log("here"); setTimeout(() => {}, 60000)');
  expect(busy.idle).toBeGreaterThan(10 * waiting.idle);
  expect(waiting.translator).toBe(4);
});

it.runIf(process.platform === 'linux')('counts memory beyond the guest', async () => {
  const hold = `globalThis.held = new Uint8Array(${HELD} * 2 ** 20).fill(1);`;
  const waiting = 'console.log("here"); setTimeout(() => {}, 60000)';
  const [small, large] = [await figuresOf(waiting), await figuresOf(`${hold}${waiting}`)];
  expect(small.memory).toBeLessThan(0);
  expect(large.memory - small.memory).toBeGreaterThan(0.9 * HELD);
  expect(large.memory - small.memory).toBeLessThan(1.2 * HELD);
});

it.runIf(process.platform === 'linux')(
  'counts what the guest has used, and no more, as its',
  async () => {
    // A core's 10 MiB and a guest's 100, of which it has used 60.
    const use = (bytes: number) => `
    globalThis.memory = new WebAssembly.Memory({ initial: 110 * 16, maximum: 110 * 16 });
    new Uint8Array(memory.buffer).fill(1, 0, ${bytes} * 2 ** 20);`;
    const waiting = 'console.log("here"); setTimeout(() => {}, 60000)';
    const none = await figuresOf(use(0) + waiting);
    const some = await figuresOf(use(70) + waiting);
    expect(none.memory).toBeGreaterThan(0);
    expect(some.memory - none.memory).toBeGreaterThan(5);
    expect(some.memory - none.memory).toBeLessThan(20);
  },
);

it('has no figures of a process that is gone', async () => {
  expect(await upkeep(2 ** 30, 100, COUNTS)).toBeUndefined();
});
