// Loads of CR3 while paging is off: what it points at is not yet, or no longer, a page directory.

import { expect, it } from 'vitest';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { SPACES_TRACKED } from '../../assembly/shared/paravirt.ts';
import { bareCpu, enterFlat } from '../lib/tiers.ts';

const CODE = 0x10000;
const DIRECTORY = 0x20000;
const TABLE = 0x21000;
const PRESENT = 1;

it('neither walks nor changes what CR3 points at while paging is off', async () => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  cpu.setSpaces(SPACES_TRACKED);
  const ram = cpu.ram();
  const words = new Uint32Array(cpu.memory.buffer, ram.byteOffset, ram.length >> 2);
  // Looks like tables that map the code where it is, never accessed.
  words[DIRECTORY >> 2] = TABLE | PRESENT;
  words[(TABLE >> 2) + (CODE >> 12)] = CODE | PRESENT;
  // mov eax, DIRECTORY; mov cr3, eax; mov ecx, [CODE]; xor eax, eax; mov cr3, eax; hlt
  ram.set(Buffer.from('b8000002000f22d88b0d0000010031c00f22d8f4', 'hex'), CODE);
  enterFlat(cpu, CODE);
  expect(cpu.run(1000)).toBe(EXIT_HALT);
  expect(words[DIRECTORY >> 2]).toBe(TABLE | PRESENT);
  expect(words[(TABLE >> 2) + (CODE >> 12)]).toBe(CODE | PRESENT);
});
