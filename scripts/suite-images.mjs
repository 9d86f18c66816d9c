// Runs a folder of static 32-bit ELF images in the emulated CPU, many in one process, and compares
// how each ends (registers, flags, x87 and SSE state, memory, fault) with the processor's own run:
//
//   node scripts/suite-images.mjs record FOLDER REFERENCE
//   node scripts/suite-images.mjs run FOLDER REFERENCE [--tier interpreter|jit] [--every N]
//                                 [--only REGEX] [--show N]
//
// An image runs at privilege 3 with its segments mapped as Linux would, and ends with its first
// fault; HLT is one. Multiboot images without devices are such images. docs/testing.md says which
// folders were run.

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { load, root } from './typescript.mjs';

const RAM = 0x1000000;
const KERNEL = 0x800000; // images lie below
const POINTERS = KERNEL + 0x1000;
const DIRECTORIES = KERNEL + 0x2000;
const TABLES = KERNEL + 0x6000;
const GDT = KERNEL + 0x10000;
const IDT = KERNEL + 0x10800;
const TSS = KERNEL + 0x11000;
const LEAVE = KERNEL + 0x12000;
const HANDLERS = KERNEL + 0x13000; // 16 bytes a vector
const STACK = KERNEL + 0x18000; // grows down from here
const IN_FPU = KERNEL + 0x1a000;
const IN_FRAME = KERNEL + 0x1a200;
const OUT_FPU = KERNEL + 0x1b000;
const OUT_VECTOR = KERNEL + 0x1b200;
const OUT_CR2 = KERNEL + 0x1b204;
const OUT_ESP = KERNEL + 0x1b208;
const OUT_SEGMENTS = KERNEL + 0x1b210;
const PORT = 0xf4;
const USER_CODE = 0x23;
const USER_DATA = 0x2b;
const TABLE_COUNT = RAM / 0x200000;
const SLICE = 200_000;
const SLICES = 20;
/** RF is set in the image that a fault pushes; IF is Linux's. */
const EFLAGS_COMPARED = ~0x10200;

const names = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const segmentNames = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

/** What Linux makes of a vector: signals and codes; 128 is SI_KERNEL. */
const SIGNALS = {
  0: [[8, 1]],
  1: [
    [5, 1],
    [5, 2],
  ],
  3: [[5, 128]],
  4: [[11, 128]],
  5: [
    [11, 128],
    [11, 3],
  ],
  6: [[4, 2]],
  11: [[7, 128]],
  12: [[7, 128]],
  13: [[11, 128]],
  14: [
    [11, 1],
    [11, 2],
  ],
  16: [[8, null]],
  17: [[7, 1]],
  19: [[8, null]],
};

const little = (value, size) => Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff);
const at32 = (value) => little(value, 4);

// --- The machine -------------------------------------------------------------------------------

class Images {
  constructor(modules, coreBytes, jit) {
    Object.assign(this, { modules, coreBytes, jit });
  }

  async boot() {
    const { Cpu } = this.modules.cpu;
    this.cpu = await Cpu.create({
      core: new WebAssembly.Module(this.coreBytes),
      ram: RAM,
      host: {
        portIn: () => -1,
        portOut: (port) => {
          if (port !== PORT) return;
          this.ended = true;
          this.cpu.requestStop();
        },
        mmioRead: () => -1,
        mmioWrite: () => {},
        interruptVector: () => -1,
        timestamp: () => this.cpu.retired(),
        readMsr: () => undefined,
        writeMsr: () => false,
      },
    });
    if (this.jit) {
      // Heat 0: whatever can be translated is, before it is first executed.
      const { Translator } = this.modules.translator;
      this.translator = new Translator({
        bytes: this.coreBytes,
        core: this.cpu.exports,
        heatLimit: 0,
        batch: 1,
      });
      this.cpu.attach(this.translator, 0);
    }
    this.ram = this.cpu.ram();
    this.words = new Uint32Array(this.ram.buffer, this.ram.byteOffset, RAM / 4);
    this.used = [];
    this.build();
    this.cpu.codeWritten(0, RAM);
  }

  word(address, value) {
    this.words[address >>> 2] = value;
  }

  map(page, bits, executable) {
    this.word(TABLES + 8 * (page >>> 12), page | bits);
    this.word(TABLES + 8 * (page >>> 12) + 4, bits && !executable ? 0x80000000 : 0);
  }

  build() {
    for (let i = 0; i < 4; i++) this.word(POINTERS + 8 * i, (DIRECTORIES + 0x1000 * i) | 1);
    for (let i = 0; i < TABLE_COUNT; i++) this.word(DIRECTORIES + 8 * i, (TABLES + 0x1000 * i) | 7);
    for (let page = KERNEL; page < KERNEL + 0x20000; page += 0x1000) this.map(page, 3, true);
    const descriptor = (selector, base, limit, access) => {
      this.word(GDT + (selector & ~7), (limit & 0xffff) | (base << 16));
      const high = (base & 0xff000000) | (limit & 0xf0000) | ((base >>> 16) & 0xff) | access;
      this.word(GDT + (selector & ~7) + 4, high);
    };
    descriptor(0x08, 0, 0xfffff, 0xc09b00);
    descriptor(0x10, 0, 0xfffff, 0xc09300);
    descriptor(0x18, TSS, 0x67, 0x8900);
    descriptor(USER_CODE, 0, 0xfffff, 0xc0fb00);
    descriptor(USER_DATA, 0, 0xfffff, 0xc0f300);
    this.word(TSS + 4, STACK);
    this.word(TSS + 8, 0x10);
    this.word(TSS + 0x64, 0x68 << 16); // no I/O bitmap
    for (let v = 0; v < 256; v++) {
      const handler = HANDLERS + 16 * v;
      // INT3, INTO and Linux's system call may be called from privilege 3.
      const access = v === 3 || v === 4 || v === 0x80 ? 0xee00 : 0x8e00;
      this.word(IDT + 8 * v, (0x08 << 16) | (handler & 0xffff));
      this.word(IDT + 8 * v + 4, (handler & 0xffff0000) | access);
      this.ram.set([0x36, 0xc7, 0x05, ...at32(OUT_VECTOR), v, 0, 0, 0], handler); // mov ss:[], v
      this.ram.set([0xe9, ...at32(LEAVE - (handler + 16))], handler + 11);
    }
    const enter = [
      [0x66, 0xb8, ...little(USER_DATA, 2), 0x8e, 0xd8, 0x8e, 0xc0], // ds, es
      [0x31, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8], // fs, gs: null
      [0x0f, 0xae, 0x0d, ...at32(IN_FPU)], // fxrstor
      [0xbc, ...at32(IN_FRAME), 0x61, 0xcf], // mov esp; popad; iret
    ].flat();
    this.ram.set(enter, KERNEL);
    const store = (segment) => [
      0x36,
      0x8c,
      0x05 | (segment << 3),
      ...at32(OUT_SEGMENTS + 4 * segment),
    ];
    const leave = [
      [0x60], // pushad
      [0x36, 0x89, 0x25, ...at32(OUT_ESP)], // mov ss:[], esp
      [0, 3, 4, 5].flatMap(store),
      [0x36, 0x0f, 0xae, 0x05, ...at32(OUT_FPU)], // fxsave ss:[]
      [0x0f, 0x20, 0xd0, 0x36, 0xa3, ...at32(OUT_CR2)], // mov eax, cr2; mov ss:[], eax
      [0xe6, PORT], // out PORT, al
    ].flat();
    leave.push(0xe9, ...at32(KERNEL - (LEAVE + leave.length + 5)));
    this.ram.set(leave, LEAVE);

    const { state } = this.cpu;
    state.cr4 = 0x620; // OSXMMEXCPT OSFXSR PAE
    state.gdtr = { base: GDT, limit: 0x2f };
    state.idtr = { base: IDT, limit: 0x7ff };
    state.cr0 = 0x11;
    const flat = { base: 0, limit: 0xffffffff };
    state.setSegment('cs', { ...flat, selector: 0x08, access: 0xc09b00 });
    for (const name of ['es', 'ss', 'ds', 'fs', 'gs'])
      state.setSegment(name, { ...flat, selector: 0x10, access: 0xc09300 });
    state.setSegment('ldtr', { base: 0, limit: 0, selector: 0, access: 0 });
    state.setSegment('tr', { base: TSS, limit: 0x67, selector: 0x18, access: 0x8b00 });
    state.setRegister('esp', STACK);
    state.cpl = 0;
    state.eflags = 2;
    // CR3 is loaded by an instruction (PAE reads its four pointers then), and so are paging and NX.
    const start = [
      [0xb8, ...at32(POINTERS), 0x0f, 0x22, 0xd8], // mov cr3
      [0xb9, ...at32(0xc0000080), 0xb8, ...at32(0x800), 0x31, 0xd2, 0x0f, 0x30], // EFER.NXE
      [0xb8, ...at32(0x80050033), 0x0f, 0x22, 0xc0], // mov cr0: PG AM WP NE ET MP PE
      [0xe6, PORT],
    ].flat();
    start.push(0xe9, ...at32(KERNEL - (KERNEL + 0x200 + start.length + 5)));
    this.ram.set(start, KERNEL + 0x200);
    state.eip = KERNEL + 0x200;
    this.cpu.run(SLICE);
    if (!this.ended) throw new Error('the kernel around the images does not start');
  }

  load(file) {
    const image = this.modules.elf.parseElf(file);
    if (typeof image === 'string') throw new Error(image);
    for (const [start, end] of this.used) {
      this.ram.fill(0, start, end);
      for (let page = start; page < end; page += 0x1000) this.map(page, 0, false);
      this.cpu.codeWritten(start, end);
    }
    this.used = [];
    this.writable = [];
    const view = new DataView(file.buffer, file.byteOffset, file.length);
    const table = view.getUint32(28, true);
    for (let i = 0; i < view.getUint16(44, true); i++) {
      const field = (n) => view.getUint32(table + 32 * i + 4 * n, true);
      if (field(0) !== 1) continue;
      const [offset, address, size, memory, flags] = [
        field(1),
        field(2),
        field(4),
        field(5),
        field(6),
      ];
      const start = address & ~0xfff;
      const end = (address + memory + 0xfff) & ~0xfff;
      if (end > KERNEL) throw new Error('lies too high');
      // Whole pages come from the file, as from mmap; what lies behind a writable segment's is zero.
      const from = offset - (address - start);
      const bytes = flags & 2 ? offset + size - from : Math.min(file.length - from, end - start);
      if (size) this.ram.set(file.subarray(from, from + bytes), start);
      for (let page = start; page < end; page += 0x1000)
        this.map(page, flags & 2 ? 7 : 5, (flags & 1) !== 0);
      this.used.push([start, end]);
      if (flags & 2) this.writable.push([address & ~3, (address + memory + 3) & ~3]);
      this.cpu.codeWritten(start, end);
    }
    this.cpu.exports.flushTlb(1);
    this.ram.fill(0, IN_FPU, IN_FPU + 512);
    this.word(IN_FPU, 0x037f);
    this.word(IN_FPU + 24, 0x1f80);
    this.words.set([0, 0, 0, 0, 0, 0, 0, 0], IN_FRAME >>> 2);
    this.words.set([image.entry, USER_CODE, 0x202, 0, USER_DATA], (IN_FRAME >>> 2) + 8);
  }

  /** Runs one image; the answer has the recorder's form. */
  async run(file) {
    if (!this.cpu) await this.boot();
    this.load(file);
    this.ended = false;
    for (let i = 0; i < SLICES && !this.ended; i++) this.cpu.run(SLICE);
    if (!this.ended) {
      this.cpu = null;
      return { end: 'time' };
    }
    const get = (address) => this.words[address >>> 2];
    const saved = get(OUT_ESP);
    const hasCode = STACK - (saved + 32) === 24;
    const frame = saved + 32 + (hasCode ? 4 : 0);
    const pushed = (i) => get(saved + 4 * i);
    const memory = new Map();
    for (const [start, end] of this.writable)
      for (let a = start; a < end; a += 4) if (get(a)) memory.set(a, get(a));
    const segment = (n) => get(OUT_SEGMENTS + 4 * n) & 0xffff;
    const vector = get(OUT_VECTOR);
    if ((get(frame + 4) & 3) !== 3)
      throw new Error(`vector ${vector} in the kernel around the image`);
    return {
      end: vector === 0x80 ? 'system call' : 'signal',
      vector,
      address: get(OUT_CR2),
      registers: [7, 6, 5, 4, -1, 2, 1, 0].map((i) => (i < 0 ? get(frame + 12) : pushed(i))),
      eip: get(frame),
      eflags: get(frame + 8),
      segments: [segment(0), get(frame + 4), get(frame + 16), segment(3), segment(4), segment(5)],
      fpu: this.ram.slice(OUT_FPU, OUT_FPU + 416),
      memory,
    };
  }
}

// --- Comparison ----------------------------------------------------------------------------------

function compare(wanted, got) {
  const differences = [];
  const differ = (what, a, b) => differences.push(`${what}: processor ${a}, here ${b}`);
  const hex = (value) => (value >>> 0).toString(16);
  if (wanted.end !== got.end) {
    const describe = (o) => `${o.end} ${o.vector ?? `${o.signal ?? ''}/${o.code ?? ''}`}`;
    differ('end', describe(wanted), describe(got));
    return differences;
  }
  if (wanted.end === 'time') return differences;
  if (wanted.end === 'signal') {
    const fits = (SIGNALS[got.vector] ?? []).some(
      ([signal, code]) => signal === wanted.signal && (code === null || code === wanted.code),
    );
    if (!fits) differ('end', `signal ${wanted.signal}/${wanted.code}`, `vector ${got.vector}`);
    else if (got.vector === 14 && wanted.address !== got.address)
      differ('cr2', hex(wanted.address), hex(got.address));
  }
  names.forEach((name, i) => {
    if (wanted.registers[i] !== got.registers[i])
      differ(name, hex(wanted.registers[i]), hex(got.registers[i]));
  });
  if (wanted.eip !== got.eip) differ('eip', hex(wanted.eip), hex(got.eip));
  if ((wanted.eflags ^ got.eflags) & EFLAGS_COMPARED)
    differ('eflags', hex(wanted.eflags), hex(got.eflags));
  segmentNames.forEach((name, i) => {
    if (wanted.segments[i] !== (got.segments[i] & 0xffff))
      differ(name, hex(wanted.segments[i]), hex(got.segments[i]));
  });
  const fpu = Buffer.from(wanted.fpu, 'hex');
  const field = (what, start, end) => {
    const [a, b] = [fpu, Buffer.from(got.fpu)].map((f) => f.toString('hex', start, end));
    if (a !== b) differ(what, a, b);
  };
  // The last instruction's pointers (bytes 6 to 23) and MXCSR_MASK are the maker's own.
  field('fcw', 0, 2);
  field('fsw', 2, 4);
  field('ftw', 4, 5);
  field('mxcsr', 24, 28);
  for (let i = 0; i < 8; i++) field(`st${i}`, 32 + 16 * i, 42 + 16 * i);
  for (let i = 0; i < 8; i++) field(`xmm${i}`, 160 + 16 * i, 176 + 16 * i);
  const memory = new Map(wanted.memory);
  for (const address of new Set([...memory.keys(), ...got.memory.keys()])) {
    const [a, b] = [memory.get(address) ?? 0, got.memory.get(address) ?? 0];
    if (a !== b) differ(`[${hex(address)}]`, hex(a), hex(b));
  }
  return differences;
}

// --- Commands -----------------------------------------------------------------------------------

function isElf(path) {
  const start = readFileSync(path).subarray(0, 4);
  return start.equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]));
}

function record(folder, reference) {
  const temporary = mkdtempSync(join(tmpdir(), 'vmi86-images-'));
  const output = openSync(reference, 'w');
  try {
    const recorder = join(temporary, 'recorder');
    const source = join(root, 'tests/native/recorder.c');
    execFileSync('gcc', ['-m32', '-O1', '-o', recorder, source], { stdio: 'inherit' });
    const images = readdirSync(folder)
      .sort()
      .filter((name) => isElf(join(folder, name)));
    const { status } = spawnSync(recorder, {
      cwd: folder,
      input: images.map((name) => `./${name}\n`).join(''),
      stdio: ['pipe', output, 'inherit'],
    });
    if (status) throw new Error('the recorder failed');
    console.log(`${images.length} images recorded`);
  } finally {
    closeSync(output);
    rmSync(temporary, { recursive: true });
  }
}

async function run(folder, reference, options) {
  const modules = { cpu: await load('host/cpu.ts'), elf: await load('host/boot/elf.ts') };
  if (options.tier === 'jit') {
    modules.translator = await load('jit/translator.ts');
    modules.counters = await load('assembly/shared/counters.ts');
  }
  const core = readFileSync(options.core ?? join(root, 'dist/core.wasm'));
  const machine = new Images(modules, core, options.tier === 'jit');
  const only = new RegExp(options.only ?? '');
  const recorded = readFileSync(reference, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .filter(({ image }) => only.test(image))
    .filter((_, i) => i % Number(options.every) === 0);
  const started = Date.now();
  let different = 0;
  let shown = 0;
  for (const wanted of recorded) {
    let differences;
    try {
      differences = compare(wanted, await machine.run(readFileSync(join(folder, wanted.image))));
    } catch (error) {
      differences = [`here: ${error.stack}`];
      machine.cpu = null;
    }
    if (differences.length === 0) continue;
    different++;
    if (shown++ < Number(options.show))
      console.log(`${wanted.image}\n  ${differences.slice(0, 12).join('\n  ')}`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${options.tier}: ${recorded.length} images, ${different} differ (${seconds} s)`);
  if (machine.translator) {
    const { regions, instructions } = machine.translator.counts;
    const { COUNT_TRANSLATED } = modules.counters;
    const inside = machine.cpu.counters()[COUNT_TRANSLATED] / machine.cpu.retired();
    console.log(
      `${regions} regions, ${instructions} instructions translated, ` +
        `${(100 * inside).toFixed(1)} % executed in regions`,
    );
  }
  return different ? 1 : 0;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tier: { type: 'string', default: 'interpreter' },
    every: { type: 'string', default: '1' },
    show: { type: 'string', default: '50' },
    only: { type: 'string' },
    core: { type: 'string' },
  },
});
const [command, folder, reference] = positionals;
if (command === 'record' && reference) record(folder, reference);
else if (command === 'run' && reference) process.exitCode = await run(folder, reference, values);
else {
  console.error('suite-images: give record or run, a folder of images and a file of references');
  process.exitCode = 2;
}
