/**
 * The tiers a test of the CPU runs in. A tier runs a case of the native harness in the emulated CPU
 * and hands back what came out of it, in the harness's own terms.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Cpu, type CpuHost } from '../../host/cpu.ts';
import {
  RAM_SIZE,
  UserMode,
  type Paging,
  type Ports,
  type Processor,
  type Tier,
} from './usermode.ts';

let core: WebAssembly.Module | null = null;

function coreModule(): WebAssembly.Module {
  const file = fileURLToPath(new URL('../../dist/core.wasm', import.meta.url));
  core ??= new WebAssembly.Module(readFileSync(file));
  return core;
}

/** A CPU with memory and the fixture's port, nothing else. */
async function bareCpu(ports: Ports): Promise<Cpu> {
  let ticks = 0;
  const host: CpuHost = {
    portIn: ports.portIn,
    portOut: ports.portOut,
    mmioRead: () => -1,
    mmioWrite: () => {},
    interruptVector: () => -1,
    timestamp: () => ++ticks,
    readMsr: () => undefined,
    writeMsr: () => false,
  };
  return Cpu.create({ core: coreModule(), ram: RAM_SIZE, host });
}

function processor(cpu: Cpu): Processor {
  return {
    ram: cpu.ram(),
    start: (eip) => enterFlat(cpu, eip),
    run: (budget) => {
      cpu.run(budget);
    },
    requestStop: () => cpu.requestStop(),
    codeWritten: (start, end) => cpu.codeWritten(start, end),
  };
}

/** The state of the Linux boot protocol: flat protected mode, privilege 0, paging off. */
function enterFlat(cpu: Cpu, eip: number): void {
  const { state } = cpu;
  state.cr0 = 0x11;
  const flat = { base: 0, limit: 0xffffffff };
  state.setSegment('cs', { ...flat, selector: 0x08, access: 0xc09b00 });
  for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const)
    state.setSegment(name, { ...flat, selector: 0x10, access: 0xc09300 });
  state.cpl = 0;
  state.eflags = 2;
  state.eip = eip;
}

function tier(name: string, paging: Paging, create: (ports: Ports) => Promise<Cpu>): Tier {
  const machine = new UserMode(async (ports) => processor(await create(ports)), paging);
  return { name, paging, run: (c) => machine.run(c) };
}

export const TIERS: Tier[] = [
  tier('interpreter', 'PAE', bareCpu),
  tier('interpreter, 32-bit paging', '32-bit', bareCpu),
];
