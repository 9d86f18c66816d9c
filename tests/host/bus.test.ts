import { expect, test } from 'vitest';
import { absentReason, Bus } from '../../host/bus';
import { createHostBridge, IsaBridge, PciBus } from '../../host/devices/pci';
import { Interrupts } from '../../host/irq';
import { createTrace } from '../../host/trace';

function memory(
  name: string,
  widest?: 1 | 2 | 4,
): {
  name: string;
  widest?: 1 | 2 | 4;
  log: string[];
  read(port: number, size: number): number;
  write(port: number, value: number, size: number): void;
} {
  const log: string[] = [];
  return {
    name,
    ...(widest === undefined ? {} : { widest }),
    log,
    read: (port, size) => {
      log.push(`r${size} ${port.toString(16)}`);
      return port & 0xff;
    },
    write: (port, value, size) => log.push(`w${size} ${port.toString(16)} ${value.toString(16)}`),
  };
}

test('wide accesses to a narrow device are split, low byte first', () => {
  const bus = new Bus();
  const device = memory('narrow');
  bus.claimPorts(0x10, 0x13, device);
  bus.portOut(0x10, 4, 0x44332211);
  expect(device.log).toEqual(['w1 10 11', 'w1 11 22', 'w1 12 33', 'w1 13 44']);
  expect(bus.portIn(0x10, 4)).toBe(0x13121110);
});

test('nobody answers with ones, and there is a reason', () => {
  const bus = new Bus();
  expect(bus.portIn(0x2f8, 1)).toBe(0xff);
  expect(bus.portIn(0x2f8, 4)).toBe(0xffffffff);
  expect(bus.mmioRead(0xd0000000 | 0, 2)).toBe(0xffff);
  expect(absentReason(0x2f8)).toBe('no COM2');
  expect(absentReason(0x1234)).toBeUndefined();
  expect(bus.statistics()['unclaimed']).toEqual({ reads: 3, writes: 0 });
});

test('accesses are counted by device and traced', () => {
  const lines: string[] = [];
  const bus = new Bus(createTrace(['io'], (line) => lines.push(line)));
  bus.claimPorts(0x60, 0x60, memory('keys'));
  bus.claimPorts(0x64, 0x64, memory('keys'));
  bus.portIn(0x60, 1);
  bus.portOut(0x64, 1, 0xaa);
  bus.portOut(0x80, 1, 0);
  expect(bus.statistics()['keys']).toEqual({ reads: 1, writes: 1 });
  expect(lines[0]).toBe('io: in  0060 60 keys');
  expect(lines[1]).toBe('io: out 0064 aa keys');
  expect(lines[2]).toContain('nobody (POST code');
});

test('two devices cannot claim a port', () => {
  const bus = new Bus();
  bus.claimPorts(0x60, 0x60, memory('a'));
  expect(() => bus.claimPorts(0x60, 0x60, memory('b'))).toThrow(/both claim/);
});

test('PCI configuration: ids, multifunction bit, holes, read-only registers', () => {
  const interrupts = new Interrupts(() => {});
  const pci = new PciBus();
  pci.add(0, 0, createHostBridge());
  pci.add(1, 0, new IsaBridge(interrupts));
  pci.add(1, 1, createHostBridge());
  const read = (address: number, size = 4): number => {
    pci.write(0xcf8, (0x80000000 | address) >>> 0, 4);
    return pci.read(0xcfc + (address & 3), size);
  };
  expect(read(0)).toBe(0x12378086);
  expect(read(0x800)).toBe(0x71108086);
  expect(read(0x80e, 1)).toBe(0x80);
  expect(read(0x00e, 1)).toBe(0);
  expect(read(0x1000)).toBe(0xffffffff);
  pci.write(0xcf8, 0x80000000, 4);
  pci.write(0xcfc, 0, 4);
  expect(read(0)).toBe(0x12378086);
  pci.write(0xcf8, 0, 4); // not enabled
  expect(pci.read(0xcfc, 4)).toBe(0xffffffff);
});

test('PCI interrupt pins rotate over the PIRQs and follow their routes', () => {
  const levels: Record<number, boolean> = {};
  const interrupts = new Interrupts(() => {});
  const sink = {
    setLine: (line: number, asserted: boolean) => (levels[line] = asserted),
    pending: () => false,
    acknowledge: () => -1,
    acceptsExternal: () => false,
  };
  interrupts.connect(sink, { setLine: () => {} }, sink);
  const bridge = new IsaBridge(interrupts);
  bridge.setPin(2, 0, true); // PIRQC: line 11
  expect(levels[11]).toBe(true);
  bridge.setPin(3, 0, true); // PIRQD: also 11
  bridge.setPin(2, 0, false);
  expect(levels[11]).toBe(true);
  bridge.setPin(3, 0, false);
  expect(levels[11]).toBe(false);
});
