/**
 * VGA in text mode 3 (IBM VGA Technical Reference; 80 by 25 characters, colour): the registers
 * Linux's vgacon touches, and text memory read back as text.
 *
 * The text memory at B8000h is ordinary guest memory. Not modelled: planes and fonts at A0000h,
 * graphics modes, drawing; other registers keep what is written.
 */

import { type Clock, toTicks } from '../clock';
import type { PortHandler } from '../bus';

export const TEXT_MEMORY = 0xb8000;
export const TEXT_SIZE = 0x8000;

const CRTC_HORIZONTAL_END = 0x01;
const CRTC_OVERFLOW = 0x07;
const CRTC_MAXIMUM_SCAN = 0x09;
const CRTC_CURSOR_START = 0x0a;
const CRTC_START_HIGH = 0x0c;
const CRTC_START_LOW = 0x0d;
const CRTC_CURSOR_HIGH = 0x0e;
const CRTC_CURSOR_LOW = 0x0f;
const CRTC_SYNC_END = 0x11;
const CRTC_VERTICAL_END = 0x12;
const CRTC_OFFSET = 0x13;
const CURSOR_OFF = 0x20;
const CRTC_LOCKED = 0x80;

/** Mode 3's registers, as the VGA BIOS sets them. */
const MODE3_CRTC = [
  0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00,
  0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
];
const MODE3_SEQUENCER = [0x03, 0x00, 0x03, 0x00, 0x02];
const MODE3_GRAPHICS = [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff];
const MODE3_ATTRIBUTE = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
  0x0c, 0x00, 0x0f, 0x08, 0x00,
];

/** Lines and frames of the 31.5 kHz, 70 Hz timing, for the status register. */
const LINE_HZ = 31_469;
const LINES = 449;
const VISIBLE_LINES = 400;

/** Code page 437 above 7Fh and below 20h. */
const CP437_HIGH =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
  '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';
const CP437_LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';

export interface Screen {
  lines: string[];
  cursor: { row: number; column: number; visible: boolean };
}

export class Vga implements PortHandler {
  readonly name = 'vga';
  readonly state = {
    crtcIndex: 0,
    crtc: Uint8Array.from(MODE3_CRTC),
    sequencerIndex: 0,
    sequencer: Uint8Array.from(MODE3_SEQUENCER),
    graphicsIndex: 0,
    graphics: Uint8Array.from(MODE3_GRAPHICS),
    attributeIndex: 0x20,
    /** Port 3C0h takes data next, not an index. */
    attributeData: false,
    attribute: Uint8Array.from(MODE3_ATTRIBUTE),
    miscellaneous: 0x67,
    feature: 0,
    dacMask: 0xff,
    dacRead: 0,
    dacWrite: 0,
    dac: new Uint8Array(768),
  };

  constructor(private readonly clock: Clock) {
    // The sixteen colours of mode 3 where its attribute registers look for them.
    for (let i = 0; i < 64; i++) {
      const level = (high: number, low: number): number =>
        ((i >> high) & 1) * 42 + ((i >> low) & 1) * 21;
      this.state.dac.set([level(2, 5), level(1, 4), level(0, 3)], i * 3);
    }
  }

  read(port: number): number {
    const s = this.state;
    switch (port) {
      case 0x3c0:
        return s.attributeIndex;
      case 0x3c1:
        return s.attribute[s.attributeIndex & 0x1f] ?? 0;
      case 0x3c2:
        return 0x10; // a colour monitor is there
      case 0x3c4:
        return s.sequencerIndex;
      case 0x3c5:
        return s.sequencer[s.sequencerIndex] ?? 0;
      case 0x3c6:
        return s.dacMask;
      case 0x3c7:
        return 0;
      case 0x3c8:
        return Math.floor(s.dacWrite / 3);
      case 0x3c9: {
        const value = s.dac[s.dacRead]!;
        s.dacRead = (s.dacRead + 1) % 768;
        return value;
      }
      case 0x3ca:
        return s.feature;
      case 0x3cc:
        return s.miscellaneous;
      case 0x3ce:
        return s.graphicsIndex;
      case 0x3cf:
        return s.graphics[s.graphicsIndex] ?? 0;
      case 0x3d4:
        return s.crtcIndex;
      case 0x3d5:
        return s.crtc[s.crtcIndex] ?? 0;
      case 0x3da: {
        s.attributeData = false;
        const line = toTicks(this.clock.now(), LINE_HZ * 4);
        const blank = (line & 3) === 3; // the last quarter of a line
        const retrace = (line >>> 2) % LINES >= VISIBLE_LINES;
        return (blank || retrace ? 0x01 : 0) | (retrace ? 0x08 : 0);
      }
      default:
        return 0xff;
    }
  }

  write(port: number, value: number): void {
    const s = this.state;
    switch (port) {
      case 0x3c0:
        if (!s.attributeData) s.attributeIndex = value & 0x3f;
        else put(s.attribute, s.attributeIndex & 0x1f, value);
        s.attributeData = !s.attributeData;
        break;
      case 0x3c2:
        s.miscellaneous = value;
        break;
      case 0x3c4:
        s.sequencerIndex = value & 7;
        break;
      case 0x3c5:
        put(s.sequencer, s.sequencerIndex, value);
        break;
      case 0x3c6:
        s.dacMask = value;
        break;
      case 0x3c7:
        s.dacRead = value * 3;
        break;
      case 0x3c8:
        s.dacWrite = value * 3;
        break;
      case 0x3c9:
        s.dac[s.dacWrite] = value & 0x3f;
        s.dacWrite = (s.dacWrite + 1) % 768;
        break;
      case 0x3ce:
        s.graphicsIndex = value & 15;
        break;
      case 0x3cf:
        put(s.graphics, s.graphicsIndex, value);
        break;
      case 0x3d4:
        s.crtcIndex = value & 0x3f;
        break;
      case 0x3d5:
        this.writeCrtc(value);
        break;
      case 0x3da:
        s.feature = value;
        break;
      default: // read-only
    }
  }

  private writeCrtc(value: number): void {
    const { crtc, crtcIndex } = this.state;
    if ((crtc[CRTC_SYNC_END]! & CRTC_LOCKED) !== 0 && crtcIndex <= CRTC_OVERFLOW) {
      // Locked: only the line compare bit of the overflow register can change.
      if (crtcIndex === CRTC_OVERFLOW) {
        crtc[crtcIndex] = (crtc[crtcIndex]! & ~0x10) | (value & 0x10);
      }
      return;
    }
    put(crtc, crtcIndex, value);
  }

  /** What the screen shows, one string a row, and where the cursor is. */
  screen(memory: Uint8Array): Screen {
    const { crtc } = this.state;
    const columns = crtc[CRTC_HORIZONTAL_END]! + 1;
    const overflow = crtc[CRTC_OVERFLOW]!;
    const end = crtc[CRTC_VERTICAL_END]! | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3);
    const rows = Math.floor((end + 1) / ((crtc[CRTC_MAXIMUM_SCAN]! & 0x1f) + 1));
    const pitch = crtc[CRTC_OFFSET]! * 2;
    const start = (crtc[CRTC_START_HIGH]! << 8) | crtc[CRTC_START_LOW]!;
    const lines: string[] = [];
    for (let row = 0; row < rows; row++) {
      let line = '';
      for (let column = 0; column < columns; column++) {
        const cell = (start + row * pitch + column) * 2;
        line += character(memory[TEXT_MEMORY + (cell & (TEXT_SIZE - 1))] ?? 0);
      }
      lines.push(line.trimEnd());
    }
    const cursor = ((crtc[CRTC_CURSOR_HIGH]! << 8) | crtc[CRTC_CURSOR_LOW]!) - start;
    const row = pitch === 0 ? 0 : Math.floor(cursor / pitch);
    const shown = (crtc[CRTC_CURSOR_START]! & CURSOR_OFF) === 0;
    return {
      lines,
      cursor: {
        row,
        column: cursor - row * pitch,
        visible: shown && row >= 0 && row < rows,
      },
    };
  }
}

function put(registers: Uint8Array, index: number, value: number): void {
  if (index < registers.length) registers[index] = value;
}

function character(code: number): string {
  if (code >= 0x80) return CP437_HIGH[code - 0x80]!;
  if (code === 0x7f) return '⌂';
  return code < 0x20 ? CP437_LOW[code]! : String.fromCharCode(code);
}
