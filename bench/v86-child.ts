// Runs v86 as a program of its own, its first serial port on stdin and stdout: what the bench
// compares vmi86 with. Arguments: one JSON object {kernel, initrd?, append, memory, bios, vgaBios}.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { V86 } from 'v86';

const options = JSON.parse(process.argv[2]!) as {
  kernel: string;
  initrd?: string;
  multiboot?: boolean;
  append: string;
  memory: number;
  bios: string;
  vgaBios: string;
};

function file(path: string): { buffer: ArrayBuffer } {
  const data = readFileSync(path);
  return {
    buffer: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer,
  };
}

const image = file(options.kernel);
const emulator = new V86({
  wasm_path: fileURLToPath(new URL('./v86.wasm', import.meta.resolve('v86'))),
  memory_size: options.memory * 2 ** 20,
  vga_memory_size: 2 * 2 ** 20,
  bios: file(options.bios),
  vga_bios: file(options.vgaBios),
  ...(options.multiboot ? { multiboot: image } : { bzimage: image }),
  ...(options.initrd ? { initrd: file(options.initrd) } : {}),
  cmdline: options.append,
  autostart: true,
  disable_speaker: true,
} as ConstructorParameters<typeof V86>[0]);

// One write a byte would measure system calls.
let pending: number[] = [];
emulator.add_listener('serial0-output-byte', (byte: number) => {
  if (pending.push(byte) === 1) {
    setImmediate(() => {
      process.stdout.write(Uint8Array.from(pending));
      pending = [];
    });
  }
});
process.stdin.on('data', (data: Buffer) => emulator.serial0_send(data.toString('latin1')));
