/**
 * The chips of the machine and the wires between them: what is where on the bus, which line each
 * device interrupts on. Made anew at every reset; what survives one is passed in.
 */

import { AcpiPm, PM1_EVENT, PM_END, SCI_IRQ, SMI_COMMAND, SMI_STATUS } from './devices/acpi-pm';
import { AtaChannel } from './devices/ata';
import { Bus } from './bus';
import type { Clock } from './clock';
import type { DiskBacking } from './devices/disk';
import { I8042 } from './devices/i8042';
import { type DmaMemory, Ide, ideLines } from './devices/ide';
import { IoApic, IOAPIC_BASE, IOAPIC_SIZE } from './devices/ioapic';
import { Interrupts } from './irq';
import { Lapic, LAPIC_BASE, LAPIC_SIZE } from './devices/lapic';
import { Msrs } from './msr';
import { createHostBridge, IsaBridge, PciBus } from './devices/pci';
import { Pic } from './devices/pic';
import { Pit } from './devices/pit';
import { PORT_A, RESET_CONTROL, ResetPorts } from './devices/reset-ports';
import { Rtc } from './devices/rtc';
import type { Trace } from './trace';
import { COM1, COM1_IRQ, Uart } from './devices/uart';
import { Vga } from './devices/vga';

export interface BoardOptions {
  clock: Clock;
  trace: Trace;
  ramBytes: number;
  memory: DmaMemory;
  disk: DiskBacking | undefined;
  /** Unix time in milliseconds now. */
  date: number;
  /** The processor's pins. */
  setIntr(asserted: boolean): void;
  nmi(): void;
  /** A byte sent on the serial line. */
  serial(byte: number): void;
  powerOff(): void;
  reset(): void;
}

export class Board {
  readonly bus: Bus;
  readonly interrupts: Interrupts;
  readonly pic: Pic;
  readonly pit: Pit;
  readonly rtc: Rtc;
  readonly lapic: Lapic;
  readonly ioapic: IoApic;
  readonly uart: Uart;
  readonly i8042: I8042;
  readonly vga: Vga;
  readonly acpi: AcpiPm;
  readonly resetPorts: ResetPorts;
  readonly pci: PciBus;
  readonly isaBridge: IsaBridge;
  readonly ide: Ide;
  readonly channels: readonly AtaChannel[];
  readonly msrs: Msrs;

  constructor(options: BoardOptions) {
    const { clock, trace } = options;
    const bus = (this.bus = new Bus(trace));
    const interrupts = (this.interrupts = new Interrupts(options.setIntr, trace));

    this.pic = new Pic(interrupts.update);
    this.lapic = new Lapic(
      clock,
      {
        changed: interrupts.update,
        endOfInterrupt: (vector) => this.ioapic.endOfInterrupt(vector),
        nmi: options.nmi,
      },
      trace,
    );
    this.ioapic = new IoApic(this.lapic, options.nmi, trace);
    interrupts.connect(this.pic, this.ioapic, this.lapic);
    bus.claimPorts(0x20, 0x21, this.pic);
    bus.claimPorts(0xa0, 0xa1, this.pic);
    bus.claimPorts(0x4d0, 0x4d1, this.pic);
    bus.claimMmio(LAPIC_BASE, LAPIC_BASE + LAPIC_SIZE, this.lapic);
    bus.claimMmio(IOAPIC_BASE, IOAPIC_BASE + IOAPIC_SIZE, this.ioapic);

    this.pit = new Pit(clock, interrupts.line(0));
    bus.claimPorts(0x40, 0x43, this.pit);
    bus.claimPorts(0x61, 0x61, this.pit);

    this.rtc = new Rtc(clock, interrupts.line(8), options.ramBytes, options.date);
    bus.claimPorts(0x70, 0x71, this.rtc);

    this.uart = new Uart(clock, interrupts.line(COM1_IRQ), options.serial);
    bus.claimPorts(COM1, COM1 + 7, this.uart);

    this.i8042 = new I8042(interrupts.line(1), interrupts.line(12), options.reset);
    bus.claimPorts(0x60, 0x60, this.i8042);
    bus.claimPorts(0x64, 0x64, this.i8042);

    this.vga = new Vga(clock);
    bus.claimPorts(0x3c0, 0x3cf, this.vga);
    bus.claimPorts(0x3d4, 0x3d5, this.vga);
    bus.claimPorts(0x3da, 0x3da, this.vga);

    this.acpi = new AcpiPm(clock, interrupts.line(SCI_IRQ), options.powerOff);
    bus.claimPorts(PM1_EVENT, PM_END, this.acpi);
    bus.claimPorts(SMI_COMMAND, SMI_STATUS, this.acpi);

    this.resetPorts = new ResetPorts(options.reset);
    bus.claimPorts(PORT_A, PORT_A, this.resetPorts);
    bus.claimPorts(RESET_CONTROL, RESET_CONTROL, this.resetPorts);

    this.pci = new PciBus();
    bus.claimPorts(0xcf8, 0xcf8, this.pci);
    bus.claimPorts(0xcfa, 0xcff, this.pci);
    this.isaBridge = new IsaBridge(interrupts);
    const lines = ideLines(interrupts);
    this.channels = [
      new AtaChannel('ide0', options.disk, lines[0]!, trace),
      new AtaChannel('ide1', undefined, lines[1]!, trace),
    ];
    this.ide = new Ide(bus, this.channels, options.memory, trace);
    this.pci.add(0, 0, createHostBridge());
    this.pci.add(1, 0, this.isaBridge);
    this.pci.add(1, 1, this.ide);

    this.msrs = new Msrs(
      { setApicEnabled: (enabled) => this.lapic.setGloballyEnabled(enabled) },
      options.ramBytes,
    );
    interrupts.update();
  }

  /** Every chip's state, plain data: with memory, processor and clock the whole machine. */
  state(): Record<string, unknown> {
    return {
      interrupts: this.interrupts.state,
      pic: this.pic.state,
      pit: this.pit.state,
      rtc: this.rtc.state,
      lapic: this.lapic.state,
      ioapic: this.ioapic.state,
      uart: this.uart.state,
      i8042: this.i8042.state,
      vga: this.vga.state,
      acpi: this.acpi.state,
      reset: this.resetPorts.state,
      pci: this.pci.state,
      pciConfiguration: this.pci.configurations(),
      isaBridge: this.isaBridge.state,
      ide: this.ide.state,
      channels: this.channels.map((channel) => channel.state),
      msrs: this.msrs.state,
    };
  }
}
