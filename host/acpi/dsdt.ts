/**
 * The DSDT: which devices software can find, and where. No control methods: everything about this
 * machine is fixed.
 */

import {
  type Aml,
  busNumbers,
  device,
  eisaId,
  integer,
  io,
  ioWindow,
  irq,
  memoryWindow,
  name,
  pack,
  resources,
  scope,
  string,
} from './aml';
import { PM1_EVENT, SLEEP_TYPE_S5, SMI_COMMAND } from '../devices/acpi-pm';
import { COM1, COM1_IRQ } from '../devices/uart';
import { PIRQ_LINES } from '../devices/pci';
import { PORT_A } from '../devices/reset-ports';

/** The end of the window for PCI devices below the APICs. */
const PCI_WINDOW_END = 0xfebfffff;

function pnp(label: string, id: string, ...crs: Aml[]): Aml {
  return device(label, name('_HID', eisaId(id)), name('_CRS', resources(...crs)));
}

/** Interrupt pins of every slot, on fixed lines: the PIRQs as the firmware has routed them. */
function routing(): Aml {
  const entries: Aml[] = [];
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const line = PIRQ_LINES[(slot + pin) & 3]!;
      const address = (slot << 16) | 0xffff;
      entries.push(pack([integer(address), integer(pin), integer(0), integer(line)]));
    }
  }
  return pack(entries);
}

function isaDevices(): Aml[] {
  return [
    pnp('PIC', 'PNP0000', io(0x20, 2), io(0xa0, 2), io(0x4d0, 2), irq(2)),
    pnp('TIMR', 'PNP0100', io(0x40, 4), irq(0)),
    pnp('SPKR', 'PNP0800', io(0x61, 1)),
    pnp('RTC', 'PNP0B00', io(0x70, 2), irq(8)),
    pnp('KBD', 'PNP0303', io(0x60, 1), io(0x64, 1), irq(1)),
    pnp('MOU', 'PNP0F13', irq(12)),
    pnp('FPU', 'PNP0C04', io(0xf0, 2), irq(13)),
    device(
      'COM1',
      name('_HID', eisaId('PNP0501')),
      name('_UID', integer(1)),
      name('_CRS', resources(io(COM1, 8), irq(COM1_IRQ))),
    ),
    // Ports of the chipset itself, so that nobody else is put there.
    pnp('MISC', 'PNP0C02', io(PORT_A, 1), io(SMI_COMMAND, 2), io(PM1_EVENT, 0x0c)),
  ];
}

/** @param ramEnd the first address above RAM, where the window for PCI memory begins. */
export function dsdtBody(ramEnd: number): Aml {
  const rootBridge = device(
    'PCI0',
    name('_HID', eisaId('PNP0A03')),
    name('_UID', integer(0)),
    name(
      '_CRS',
      resources(
        busNumbers(0, 0xff),
        io(0xcf8, 8),
        ioWindow(0x0000, 0x0cf7),
        ioWindow(0x0d00, 0xffff),
        memoryWindow(0xa0000, 0xbffff, true),
        memoryWindow(ramEnd, PCI_WINDOW_END, false),
      ),
    ),
    name('_PRT', routing()),
    device('ISA', name('_ADR', integer(0x00010000)), ...isaDevices()),
  );
  const processor = device('CPU0', name('_HID', string('ACPI0007')), name('_UID', integer(0)));
  const sleepType = integer(SLEEP_TYPE_S5);
  return [
    ...scope('\\_SB', rootBridge, processor),
    ...name('\\_S5', pack([sleepType, sleepType, integer(0), integer(0)])),
  ];
}
