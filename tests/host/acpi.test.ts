import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { execFileSync } from '../lib/commands.ts';
import { eisaId, name, pack, integer, path } from '../../host/acpi/aml';
import { placeAcpiTables, RSDP, TABLES_SIZE } from '../../host/acpi/tables';
import { AcpiPm } from '../../host/devices/acpi-pm';
import { ResetPorts } from '../../host/devices/reset-ports';
import { TestClock, TestLine } from './support';

const RAM = 32 << 20;

function tables(): { ram: Uint8Array; at: Record<string, number>; view: DataView } {
  const ram = new Uint8Array(RAM);
  const at = placeAcpiTables(ram, RAM - TABLES_SIZE, RAM);
  return { ram, at, view: new DataView(ram.buffer) };
}

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
}

describe('AML', () => {
  test('names, ids and packages are encoded as the specification says', () => {
    expect(path('\\_SB.PCI0')).toEqual([0x5c, 0x2e, ...Buffer.from('_SB_PCI0')]);
    expect(eisaId('PNP0A03')).toEqual([0x0c, 0x41, 0xd0, 0x0a, 0x03]);
    expect(name('_ADR', integer(0x10000))).toEqual([8, ...Buffer.from('_ADR'), 0x0c, 0, 0, 1, 0]);
    expect(pack([integer(0), integer(1), integer(5)])).toEqual([0x12, 6, 3, 0, 1, 0x0a, 5]);
  });

  test('lengths of more than 63 bytes take more bytes', () => {
    const long = pack(Array.from({ length: 100 }, () => integer(0x1234)));
    // 1 count byte and 300 of contents and 2 of the length itself
    expect(long.slice(0, 4)).toEqual([0x12, 0x40 | (303 & 15), 303 >> 4, 100]);
  });
});

describe('tables', () => {
  test('the RSDP is where it is searched for and its checksums hold', () => {
    const { ram, view } = tables();
    expect(RSDP % 16).toBe(0);
    expect(Buffer.from(ram.subarray(RSDP, RSDP + 8)).toString()).toBe('RSD PTR ');
    expect(sum(ram.subarray(RSDP, RSDP + 20))).toBe(0);
    expect(sum(ram.subarray(RSDP, RSDP + 36))).toBe(0);
    expect(view.getUint8(RSDP + 15)).toBe(2);
  });

  test('every table has its signature, length and checksum; the roots list them', () => {
    const { ram, view, at } = tables();
    for (const signature of ['RSDT', 'XSDT', 'FACP', 'DSDT', 'APIC']) {
      const start = at[signature]!;
      const length = view.getUint32(start + 4, true);
      expect(Buffer.from(ram.subarray(start, start + 4)).toString()).toBe(signature);
      expect(sum(ram.subarray(start, start + length)), signature).toBe(0);
    }
    expect(view.getUint32(at['RSDT']! + 36, true)).toBe(at['FACP']);
    expect(view.getBigUint64(at['XSDT']! + 44, true)).toBe(BigInt(at['APIC']!));
    expect(at['FACS']! % 64).toBe(0);
  });

  const iasl = ((): boolean => {
    try {
      execFileSync('iasl', ['-v'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();

  test.skipIf(!iasl)('iasl disassembles the DSDT and compiles it again without complaint', () => {
    const { ram, view, at } = tables();
    const folder = mkdtempSync(join(tmpdir(), 'vmi86-acpi-'));
    try {
      const start = at['DSDT']!;
      const length = view.getUint32(start + 4, true);
      writeFileSync(join(folder, 'dsdt.dat'), ram.subarray(start, start + length));
      execFileSync('iasl', ['-d', 'dsdt.dat'], { cwd: folder, stdio: 'ignore' });
      const source = readFileSync(join(folder, 'dsdt.dsl'), 'latin1');
      for (const word of ['Device (PCI0)', 'PNP0501', 'PNP0303', 'Name (\\_S5', '_PRT']) {
        expect(source).toContain(word);
      }
      const output = execFileSync('iasl', ['-p', 'again', 'dsdt.dsl'], { cwd: folder }).toString();
      expect(output).toContain('0 Errors, 0 Warnings');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('PM block', () => {
  function setup(): { clock: TestClock; sci: TestLine; pm: AcpiPm; off: () => number } {
    const clock = new TestClock();
    const sci = new TestLine();
    let count = 0;
    const pm = new AcpiPm(clock, sci.set, () => count++);
    return { clock, sci, pm, off: () => count };
  }

  test('the timer counts 3.579545 MHz', () => {
    const { clock, pm } = setup();
    clock.advance(1e9);
    expect(pm.read(0x608, 4)).toBe(3_579_545);
  });

  test('SMI commands switch SCI_EN', () => {
    const { pm } = setup();
    expect(pm.read(0x604, 2)).toBe(0);
    pm.write(0xb2, 0xf1, 1);
    expect(pm.read(0x604, 2)).toBe(1);
    pm.write(0xb2, 0xf0, 1);
    expect(pm.read(0x604, 2)).toBe(0);
  });

  test('the power button interrupts when enabled and is cleared by a one', () => {
    const { pm, sci } = setup();
    pm.write(0xb2, 0xf1, 1);
    pm.write(0x602, 0x0120, 2);
    pm.pressPowerButton();
    expect(sci.level).toBe(true);
    expect(pm.read(0x600, 2)).toBe(0x100);
    pm.write(0x600, 0x100, 2);
    expect(sci.level).toBe(false);
  });

  test('SLP_EN with the type of S5 turns the machine off, another type does not', () => {
    const { pm, off } = setup();
    pm.write(0x604, 0x2000 | (5 << 10), 2);
    expect(off()).toBe(0);
    pm.write(0x604, 0x2000, 2);
    expect(off()).toBe(1);
  });

  test('the status bit follows the timer’s highest bit', () => {
    const { clock, pm } = setup();
    clock.advance(Math.ceil((2 ** 31 / 3_579_545) * 1e9) + 1000);
    expect(pm.read(0x600, 2) & 1).toBe(1);
  });
});

describe('reset ports', () => {
  test('port 92h and CF9h reset on a rising bit only', () => {
    let resets = 0;
    const ports = new ResetPorts(() => resets++);
    expect(ports.read(0x92)).toBe(0x02);
    ports.write(0x92, 0x02);
    expect(resets).toBe(0);
    ports.write(0x92, 0x03);
    ports.write(0x92, 0x03);
    expect(resets).toBe(1);
    ports.write(0xcf9, 0x02);
    expect(resets).toBe(1);
    ports.write(0xcf9, 0x06);
    expect(resets).toBe(2);
  });
});
