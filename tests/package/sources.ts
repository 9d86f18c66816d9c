/** Programs that a user of the package would write. */

/** In Node, with and without a worker thread. */
export const NODE = `
import { createMachine, VmError } from 'vmi86';
for (const worker of [false, true]) {
  const machine = await createMachine({ kernel: './guest.elf', memory: 16, worker });
  machine.run();
  await machine.serial.waitFor('hello from the guest', { timeout: 30_000 });
  machine.serial.write('abcQ');
  const { text } = await machine.serial.waitFor(/Q/, { timeout: 30_000 });
  await machine.finished();
  console.log(worker, JSON.stringify(text.trim()), machine.state);
  await machine.destroy();
}
try {
  await createMachine({ kernel: './package.json' });
} catch (error) {
  console.log(error instanceof VmError, error.code, error.message);
}
`;

/** Everything that is typed, by someone who trusts the types. */
export const STRICT = `
import { createMachine, VmError, type CreateOptions, type Statistics, type VirtualMachine } from 'vmi86';
import { V86, type V86Options } from 'vmi86/v86';

const options: CreateOptions = {
  kernel: new Uint8Array(4),
  initrd: new URL('https://example.org/initrd.gz'),
  disk: { image: new Blob([]), readonly: true },
  append: 'console=ttyS0',
  memory: 64,
  clock: 'virtual',
  paravirt: 'vmi',
  on: { progress: ({ image, loaded, total = 0 }) => console.log(image, loaded / total) },
};

export async function boot(): Promise<string> {
  const machine: VirtualMachine = await createMachine(options);
  const off: () => void = machine.on('state', (state) => {
    if (state === 'failed') off();
  });
  machine.on('failure', ({ reason, registers }) => console.log(reason, registers));
  machine.on('poweroff', () => {});
  // @ts-expect-error there is no such event
  machine.on('power-off', () => {});
  machine.run();
  const { match } = await machine.serial.waitFor(/login: (.*)/, { timeout: 1000 });
  await machine.serial.readable.getReader().read();
  const { output, status } = await machine.exec('uname -a');
  const stats: Statistics = await machine.stats();
  const screen = await machine.screen.read();
  return [match[1], output, status, stats.instructions.total, ...screen.lines].join();
}

// @ts-expect-error a kernel is needed
const none: CreateOptions = {};
export const code = (error: unknown): string => (error instanceof VmError ? error.code : String(none));

const old: V86Options = { bzimage: { url: 'bzImage' }, memory_size: 64 << 20, autostart: true };
const emulator = new V86(old);
emulator.add_listener('serial0-output-byte', (byte) => String.fromCharCode(byte));
`;

/** In a page: writes what happened into the document's title. */
export const BROWSER = (more = '', options = ''): string => `
import { createMachine } from 'vmi86';
${more}
async function main() {
  const said = [];
  for (const worker of [false, true]) {
    const machine = await createMachine({ kernel: './guest.elf', memory: 16, worker ${options} });
    machine.run();
    await machine.serial.waitFor('hello from the guest', { timeout: 30_000 });
    machine.serial.write('abcQ');
    const { text } = await machine.serial.waitFor(/Q/, { timeout: 30_000 });
    await machine.finished();
    said.push(text.trim() + ' ' + machine.state);
    await machine.destroy();
  }
  return said.join(', ');
}
main().then((said) => (document.title = 'done: ' + said), (error) => (document.title = 'failed: ' + error.message));
`;

export const PAGE = (script: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>waiting</title></head>` +
  `<body>${script}</body></html>`;
