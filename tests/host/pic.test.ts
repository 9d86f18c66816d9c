import { describe, expect, test } from 'vitest';
import { Pic } from '../../host/devices/pic';

/** As Linux's init_8259A does it: vectors 30h and 38h, normal EOI. */
function linuxPic(autoEoi = false): Pic {
  const pic = new Pic(() => {});
  pic.write(0x21, 0xff);
  pic.write(0x20, 0x11);
  pic.write(0x21, 0x30);
  pic.write(0x21, 0x04);
  pic.write(0x21, autoEoi ? 0x03 : 0x01);
  pic.write(0xa0, 0x11);
  pic.write(0xa1, 0x38);
  pic.write(0xa1, 0x02);
  pic.write(0xa1, 0x01);
  pic.write(0x21, 0x00);
  pic.write(0xa1, 0x00);
  return pic;
}

describe('8259 pair', () => {
  test('the mask reads back what was written: how Linux finds the controller', () => {
    const pic = new Pic(() => {});
    pic.write(0xa1, 0xff);
    pic.write(0x21, 0xfb);
    expect(pic.read(0x21)).toBe(0xfb);
  });

  test('an edge is acknowledged once, with the vector of its line', () => {
    const pic = linuxPic();
    pic.setLine(0, true);
    expect(pic.pending()).toBe(true);
    expect(pic.acknowledge()).toBe(0x30);
    expect(pic.pending()).toBe(false);
    pic.write(0x20, 0x60); // specific EOI of level 0
    expect(pic.pending()).toBe(false); // still up, but no new edge
    pic.setLine(0, false);
    pic.setLine(0, true);
    expect(pic.pending()).toBe(true);
  });

  test('a line of the slave goes through the cascade', () => {
    const pic = linuxPic();
    pic.setLine(14, true);
    expect(pic.acknowledge()).toBe(0x3e);
    pic.write(0xa0, 0x0b);
    expect(pic.read(0xa0)).toBe(0x40);
    pic.write(0x20, 0x0b);
    expect(pic.read(0x20)).toBe(0x04);
    pic.write(0xa0, 0x66);
    pic.write(0x20, 0x62);
    expect(pic.read(0xa0)).toBe(0);
    expect(pic.read(0x20)).toBe(0);
  });

  test('a level in service blocks itself and lower priorities, not higher ones', () => {
    const pic = linuxPic();
    pic.setLine(4, true);
    expect(pic.acknowledge()).toBe(0x34);
    pic.setLine(5, true);
    expect(pic.pending()).toBe(false);
    pic.setLine(1, true);
    expect(pic.acknowledge()).toBe(0x31);
    pic.write(0x20, 0x20); // non-specific: ends the highest, 1
    expect(pic.pending()).toBe(false);
    pic.write(0x20, 0x20);
    expect(pic.acknowledge()).toBe(0x35);
  });

  test('a masked request waits; unmasking lets it through', () => {
    const pic = linuxPic();
    pic.write(0x21, 0x10);
    pic.setLine(4, true);
    expect(pic.pending()).toBe(false);
    pic.write(0x21, 0x00);
    expect(pic.acknowledge()).toBe(0x34);
  });

  test('a request that vanishes before the acknowledge is spurious: level 7, no service bit', () => {
    const pic = linuxPic();
    pic.setLine(4, true);
    pic.setLine(4, false);
    expect(pic.acknowledge()).toBe(0x37);
    pic.write(0x20, 0x0b);
    expect(pic.read(0x20)).toBe(0);
  });

  test('an ELCR line asks again after EOI while it is asserted; fixed edge lines refuse', () => {
    const pic = linuxPic();
    pic.write(0x4d0, 0xff);
    pic.write(0x4d1, 0xff);
    expect(pic.read(0x4d0)).toBe(0xf8);
    expect(pic.read(0x4d1)).toBe(0xde);
    pic.setLine(10, true);
    expect(pic.acknowledge()).toBe(0x3a);
    pic.write(0xa0, 0x62);
    pic.write(0x20, 0x62);
    expect(pic.acknowledge()).toBe(0x3a);
    pic.setLine(10, false);
    pic.write(0xa0, 0x62);
    pic.write(0x20, 0x62);
    expect(pic.pending()).toBe(false);
  });

  test('automatic EOI leaves nothing in service', () => {
    const pic = linuxPic(true);
    pic.setLine(3, true);
    expect(pic.acknowledge()).toBe(0x33);
    pic.write(0x20, 0x0b);
    expect(pic.read(0x20)).toBe(0);
  });

  test('poll acknowledges and says which level', () => {
    const pic = linuxPic();
    pic.setLine(6, true);
    pic.write(0x20, 0x0c);
    expect(pic.read(0x20)).toBe(0x86);
    pic.write(0x20, 0x0c);
    expect(pic.read(0x20)).toBe(0);
  });

  test('special mask mode lets lower levels through a masked one in service', () => {
    const pic = linuxPic();
    pic.setLine(1, true);
    pic.acknowledge();
    pic.write(0x20, 0x68);
    pic.write(0x21, 0x02);
    pic.setLine(5, true);
    expect(pic.acknowledge()).toBe(0x35);
  });

  test('rotation makes the ended level the lowest', () => {
    const pic = linuxPic();
    pic.setLine(0, true);
    pic.acknowledge();
    pic.write(0x20, 0xa0); // rotate on non-specific EOI
    pic.setLine(0, false);
    pic.setLine(0, true);
    pic.setLine(7, true);
    expect(pic.acknowledge()).toBe(0x37);
  });
});
