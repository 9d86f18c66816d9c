/**
 * The ACPI tables (ACPI 6.0 chapter 5): RSDP, RSDT, XSDT, FADT, FACS, DSDT, MADT.
 *
 * Owns their layout in memory; the DSDT's contents are dsdt.ts's.
 */

import {
  ACPI_DISABLE,
  ACPI_ENABLE,
  PM1_CONTROL,
  PM1_EVENT,
  PM_TIMER,
  SCI_IRQ,
  SMI_COMMAND,
} from '../devices/acpi-pm';
import { CMOS_CENTURY } from '../devices/rtc';
import { IOAPIC_BASE } from '../devices/ioapic';
import { LAPIC_BASE } from '../devices/lapic';
import { RESET_CONTROL, RESET_VALUE } from '../devices/reset-ports';
import { TIMER_GSI } from '../irq';
import { dsdtBody } from './dsdt';

/** Where the RSDP is: 16-byte aligned, in the area that is searched for it. */
export const RSDP = 0xf5000;
/** Room for all other tables, at the top of RAM. */
export const TABLES_SIZE = 0x10000;

const OEM = 'VMI86';
const HEADER = 36;

// Fixed feature flags of the FADT.
const WBINVD = 1 << 0;
const C1_SUPPORTED = 1 << 2;
const NO_FIXED_SLEEP_BUTTON = 1 << 5;
const RTC_WAKE_NOT_FIXED = 1 << 6;
const TIMER_32_BITS = 1 << 8;
const RESET_SUPPORTED = 1 << 10;
// Its IA-PC boot flags.
const LEGACY_DEVICES = 1 << 0;
const HAS_8042 = 1 << 1;

const MADT_PC_COMPATIBLE = 1;
const POLARITY_HIGH = 1;
const TRIGGER_LEVEL = 3 << 2;

class Table {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  text(offset: number, text: string, length: number): void {
    const padded = text.padEnd(length);
    for (let i = 0; i < length; i++) this.bytes[offset + i] = padded.charCodeAt(i);
  }

  u8(offset: number, value: number): void {
    this.view.setUint8(offset, value);
  }

  u16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }

  u32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  u64(offset: number, value: number): void {
    this.view.setBigUint64(offset, BigInt(value), true);
  }

  /** A generic address structure naming a port. */
  port(offset: number, port: number, bits: number): void {
    this.u8(offset, 1);
    this.u8(offset + 1, bits);
    this.u8(offset + 3, bits === 8 ? 1 : bits === 16 ? 2 : 3);
    this.u64(offset + 4, port);
  }

  /** The header every description table starts with. */
  header(signature: string, revision: number): this {
    this.text(0, signature, 4);
    this.u32(4, this.bytes.length);
    this.u8(8, revision);
    this.text(10, OEM, 6);
    this.text(16, 'VMI86PC', 8);
    this.u32(24, 1);
    this.text(28, 'VMI8', 4);
    this.u32(32, 1);
    return this;
  }

  checksum(at: number, length = this.bytes.length): this {
    this.u8(at, 0);
    let sum = 0;
    for (let i = 0; i < length; i++) sum += this.bytes[i]!;
    this.u8(at, -sum & 0xff);
    return this;
  }
}

function dsdt(ramEnd: number): Table {
  const body = dsdtBody(ramEnd);
  const table = new Table(HEADER + body.length).header('DSDT', 2);
  table.bytes.set(body, HEADER);
  return table.checksum(9);
}

function facs(): Table {
  const table = new Table(64);
  table.text(0, 'FACS', 4);
  table.u32(4, 64);
  table.u8(32, 1);
  return table;
}

function fadt(facsAddress: number, dsdtAddress: number): Table {
  const table = new Table(244).header('FACP', 3);
  table.u32(36, facsAddress);
  table.u32(40, dsdtAddress);
  table.u8(45, 1); // preferred profile: desktop
  table.u16(46, SCI_IRQ);
  table.u32(48, SMI_COMMAND);
  table.u8(52, ACPI_ENABLE);
  table.u8(53, ACPI_DISABLE);
  table.u32(56, PM1_EVENT);
  table.u32(64, PM1_CONTROL);
  table.u32(76, PM_TIMER);
  table.u8(88, 4); // lengths of the blocks
  table.u8(89, 2);
  table.u8(91, 4);
  table.u16(96, 0xfff); // latencies that say: no C2, no C3
  table.u16(98, 0xfff);
  table.u8(108, CMOS_CENTURY);
  table.u16(109, LEGACY_DEVICES | HAS_8042);
  table.u32(
    112,
    WBINVD |
      C1_SUPPORTED |
      NO_FIXED_SLEEP_BUTTON |
      RTC_WAKE_NOT_FIXED |
      TIMER_32_BITS |
      RESET_SUPPORTED,
  );
  table.port(116, RESET_CONTROL, 8);
  table.u8(128, RESET_VALUE);
  table.u64(140, dsdtAddress);
  table.port(148, PM1_EVENT, 32);
  table.port(172, PM1_CONTROL, 16);
  table.port(208, PM_TIMER, 32);
  return table.checksum(9);
}

function madt(): Table {
  const override = (source: number, gsi: number, flags: number): number[] => [
    ...[2, 10, 0, source],
    ...[gsi, 0, 0, 0],
    ...[flags, 0],
  ];
  const address = (value: number): number[] => [0, 8, 16, 24].map((n) => (value >>> n) & 0xff);
  const entries = [
    ...[0, 8, 0, 0, ...address(1)], // processor 0: APIC 0, enabled
    ...[1, 12, 0, 0, ...address(IOAPIC_BASE), ...address(0)], // I/O APIC 0 from GSI 0
    ...override(0, TIMER_GSI, 0),
    ...override(SCI_IRQ, SCI_IRQ, POLARITY_HIGH | TRIGGER_LEVEL),
    ...[4, 6, 0xff, 0, 0, 1], // NMI at LINT1 of every processor
  ];
  const table = new Table(HEADER + 8 + entries.length).header('APIC', 3);
  table.u32(HEADER, LAPIC_BASE);
  table.u32(HEADER + 4, MADT_PC_COMPATIBLE);
  table.bytes.set(entries, HEADER + 8);
  return table.checksum(9);
}

function rootTable(signature: string, entries: number[], width: 4 | 8): Table {
  const table = new Table(HEADER + entries.length * width).header(signature, 1);
  entries.forEach((entry, i) => {
    if (width === 8) table.u64(HEADER + i * width, entry);
    else table.u32(HEADER + i * width, entry);
  });
  return table.checksum(9);
}

/** Writes the tables into guest memory; returns the addresses by signature. */
export function placeAcpiTables(
  ram: Uint8Array,
  tablesStart: number,
  ramEnd: number,
): Record<string, number> {
  const addresses: Record<string, number> = {};
  let next = tablesStart;
  const place = (signature: string, table: Table): number => {
    const at = next;
    if (at + table.bytes.length > tablesStart + TABLES_SIZE) {
      throw new Error('ACPI tables outgrow their room');
    }
    ram.set(table.bytes, at);
    next = (at + table.bytes.length + 63) & ~63;
    addresses[signature] = at;
    return at;
  };
  const facsAddress = place('FACS', facs());
  const dsdtAddress = place('DSDT', dsdt(ramEnd));
  const roots = [place('FACP', fadt(facsAddress, dsdtAddress)), place('APIC', madt())];
  const rsdt = place('RSDT', rootTable('RSDT', roots, 4));
  const xsdt = place('XSDT', rootTable('XSDT', roots, 8));

  const rsdp = new Table(36);
  rsdp.text(0, 'RSD PTR ', 8);
  rsdp.text(9, OEM, 6);
  rsdp.u8(15, 2);
  rsdp.u32(16, rsdt);
  rsdp.u32(20, 36);
  rsdp.u64(24, xsdt);
  rsdp.checksum(8, 20).checksum(32);
  ram.set(rsdp.bytes, RSDP);
  addresses['RSDP'] = RSDP;
  return addresses;
}
