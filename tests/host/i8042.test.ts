import { beforeEach, describe, expect, test } from 'vitest';
import { I8042 } from '../../host/devices/i8042';
import { SET1_OF_SET2, keyStroke, set2OfSet1 } from '../../host/devices/keymap';
import { TestLine } from './support';

let irq1: TestLine;
let irq12: TestLine;
let resets: number;
let controller: I8042;

beforeEach(() => {
  irq1 = new TestLine();
  irq12 = new TestLine();
  resets = 0;
  controller = new I8042(irq1.set, irq12.set, () => resets++);
});

const command = (value: number): void => controller.write(0x64, value);
const data = (value: number): void => controller.write(0x60, value);
const status = (): number => controller.read(0x64);

function drain(): number[] {
  const bytes: number[] = [];
  while ((status() & 1) !== 0) bytes.push(controller.read(0x60));
  return bytes;
}

describe('8042', () => {
  test('passes its self test and the ports’', () => {
    command(0xaa);
    expect(drain()).toEqual([0x55]);
    command(0xab);
    expect(drain()).toEqual([0x00]);
    command(0xa9);
    expect(drain()).toEqual([0x00]);
  });

  test('the configuration byte reads back; Linux flips bits in it', () => {
    command(0x20);
    expect(drain()).toEqual([0x45]);
    command(0x60);
    data(0x74);
    command(0x20);
    expect(drain()).toEqual([0x74]);
    command(0xa8);
    command(0x20);
    expect(drain()).toEqual([0x54]);
    command(0xa7);
    command(0x20);
    expect(drain()).toEqual([0x74]);
  });

  test('the AUX loop returns the byte with the AUX bit, and interrupts on line 12', () => {
    command(0x60);
    data(0x47);
    command(0xd3);
    data(0xa5);
    expect(status() & 0x21).toBe(0x21);
    expect(irq12.level).toBe(true);
    expect(controller.read(0x60)).toBe(0xa5);
    expect(irq12.level).toBe(false);
    expect(status() & 0x21).toBe(0);
  });

  test('the keyboard resets, identifies, takes LEDs and rates', () => {
    data(0xff);
    expect(drain()).toEqual([0xfa, 0xaa]);
    data(0xf2);
    expect(drain()).toEqual([0xfa, 0xab, 0x41]); // the id's 83h, translated
    data(0xed);
    expect(drain()).toEqual([0xfa]);
    data(0x05);
    expect(drain()).toEqual([0xfa]);
    expect(controller.keyboard.state.leds).toBe(5);
    data(0xf3);
    data(0x20);
    expect(drain()).toEqual([0xfa, 0xfa]);
    data(0xee);
    expect(drain()).toEqual([0xee]);
  });

  test('the mouse is a standard one, behind D4', () => {
    const mouse = (value: number): number[] => {
      command(0xd4);
      data(value);
      return drain();
    };
    expect(mouse(0xff)).toEqual([0xfa, 0xaa, 0x00]);
    expect(mouse(0xf2)).toEqual([0xfa, 0x00]);
    expect(mouse(0xf3)).toEqual([0xfa]);
    expect(mouse(40)).toEqual([0xfa]);
    expect(mouse(0xf4)).toEqual([0xfa]);
    expect(mouse(0xe9)).toEqual([0xfa, 0x20, 2, 40]);
    controller.mouse.move(3, -2, 1);
    expect(drain()).toEqual([0x29, 3, 0xfe]);
  });

  test('keys are translated to set 1 and interrupt once a byte', () => {
    controller.type('a');
    expect(irq1.level).toBe(true);
    expect(drain()).toEqual([0x1e, 0x9e]);
    expect(irq1.rises).toBe(2);
    expect(irq1.level).toBe(false);
  });

  test('without translation the keyboard’s own set 2 comes through', () => {
    command(0x60);
    data(0x05);
    controller.type('A');
    expect(drain()).toEqual([0x12, 0x1c, 0xf0, 0x1c, 0xf0, 0x12]);
  });

  test('a disabled keyboard port keeps typing back', () => {
    command(0xad);
    controller.type('x');
    expect(status() & 1).toBe(0);
    command(0xae);
    expect(drain()).toEqual([0x2d, 0xad]);
  });

  test('a pulse on output bit 0 resets, others do not', () => {
    command(0xff);
    expect(resets).toBe(0);
    command(0xfe);
    expect(resets).toBe(1);
    command(0xd1);
    data(0xfe);
    expect(resets).toBe(2);
  });
});

describe('key codes', () => {
  test('the translation has the well known pairs', () => {
    const pairs = { 0x1c: 0x1e, 0x5a: 0x1c, 0x29: 0x39, 0x76: 0x01, 0x12: 0x2a, 0x66: 0x0e };
    for (const [set2, set1] of Object.entries(pairs)) {
      expect(SET1_OF_SET2[Number(set2)]).toBe(set1);
      expect(set2OfSet1(set1)).toBe(Number(set2));
    }
    expect(SET1_OF_SET2).toHaveLength(128);
  });

  test('every printable ASCII character can be typed', () => {
    for (let code = 0x20; code < 0x7f; code++) {
      const stroke = keyStroke(String.fromCharCode(code));
      expect(stroke, String.fromCharCode(code)).toBeDefined();
      expect(stroke!.code).toBeGreaterThan(0);
    }
  });
});
