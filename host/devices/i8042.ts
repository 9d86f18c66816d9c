/**
 * Intel 8042 keyboard controller with the IBM PS/2 firmware, at ports 60h and 64h: two PS/2 ports,
 * translation to scan code set 1, and the output port whose bit 0 resets the processor.
 *
 * Not modelled: the input and test ports' pins beyond what the self tests report, A20 (always
 * open: the bit is kept), the multiplexed mode of four ports.
 */

import type { InterruptLine } from '../irq';
import type { PortHandler } from '../bus';
import { keyStroke, SHIFT, translateScanCode } from './keymap';
import { Keyboard, Mouse } from './ps2';

const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;
const STATUS_AUX_FULL = 0x20;

const CONFIG_IRQ1 = 0x01;
const CONFIG_IRQ12 = 0x02;
const CONFIG_SYSTEM = 0x04;
const CONFIG_KEYBOARD_OFF = 0x10;
const CONFIG_AUX_OFF = 0x20;
const CONFIG_TRANSLATE = 0x40;

const BREAK = 0xf0;

export class I8042 implements PortHandler {
  readonly name = 'i8042';
  readonly keyboard: Keyboard;
  readonly mouse: Mouse;
  readonly state;

  /** @param reset called for a pulse on the processor's reset line. */
  constructor(
    private readonly irq1: InterruptLine,
    private readonly irq12: InterruptLine,
    private readonly reset: () => void,
  ) {
    this.keyboard = new Keyboard(() => this.pump());
    this.mouse = new Mouse(() => this.pump());
    this.state = {
      config: CONFIG_IRQ1 | CONFIG_SYSTEM | CONFIG_TRANSLATE,
      /** The command whose data byte comes next at 60h, 0 = none. */
      command: 0,
      lastWasCommand: false,
      outputPort: 0xdf,
      data: 0,
      full: false,
      fromAux: false,
      /** The keyboard sent the break prefix, which translation folds into the code. */
      breakSeen: false,
      /** The controller's own answers, ahead of the devices' bytes. */
      answers: [] as { byte: number; aux: boolean }[],
      memory: new Uint8Array(32),
      keyboard: this.keyboard.state,
      mouse: this.mouse.state,
    };
  }

  /** Types characters as a person at a US keyboard would; those without a key are left out. */
  type(text: string): void {
    for (const character of text) {
      const stroke = keyStroke(character);
      if (stroke === undefined) continue;
      if (stroke.shift) this.keyboard.key(SHIFT, true);
      this.keyboard.key(stroke.code, true);
      this.keyboard.key(stroke.code, false);
      if (stroke.shift) this.keyboard.key(SHIFT, false);
    }
  }

  read(port: number): number {
    const s = this.state;
    if (port === 0x64) {
      return (
        STATUS_UNLOCKED |
        (s.full ? STATUS_OUTPUT_FULL : 0) |
        (s.full && s.fromAux ? STATUS_AUX_FULL : 0) |
        ((s.config & CONFIG_SYSTEM) !== 0 ? STATUS_SYSTEM : 0) |
        (s.lastWasCommand ? STATUS_COMMAND : 0)
      );
    }
    const byte = s.data;
    if (s.full) {
      s.full = false;
      this.irq1(false);
      this.irq12(false);
      this.pump();
    }
    return byte;
  }

  write(port: number, value: number): void {
    const s = this.state;
    s.lastWasCommand = port === 0x64;
    if (port === 0x64) {
      s.command = 0;
      this.execute(value);
    } else if (s.command !== 0) {
      const command = s.command;
      s.command = 0;
      this.data(command, value);
    } else {
      s.config &= ~CONFIG_KEYBOARD_OFF; // a byte for the keyboard opens its clock
      this.keyboard.write(value);
    }
    this.pump();
  }

  private execute(command: number): void {
    const s = this.state;
    if (command >= 0xf0) {
      // Pulses the output port bits whose command bits are clear; bit 0 is the reset line.
      if ((command & 1) === 0) this.reset();
      return;
    }
    if (command >= 0x20 && command < 0x40) {
      this.answer(command === 0x20 ? s.config : s.memory[command & 0x1f]!);
      return;
    }
    switch (command) {
      case 0xa7:
        s.config |= CONFIG_AUX_OFF;
        break;
      case 0xa8:
        s.config &= ~CONFIG_AUX_OFF;
        break;
      case 0xa9: // test the mouse port's lines: good
      case 0xab: // test the keyboard port's lines: good
        this.answer(0x00);
        break;
      case 0xaa: // self test: passed
        s.config |= CONFIG_SYSTEM;
        this.answer(0x55);
        break;
      case 0xad:
        s.config |= CONFIG_KEYBOARD_OFF;
        break;
      case 0xae:
        s.config &= ~CONFIG_KEYBOARD_OFF;
        break;
      case 0xc0: // input port: keyboard not locked
        this.answer(0x80);
        break;
      case 0xd0:
        this.answer(s.outputPort);
        break;
      case 0xe0: // test inputs: clocks
        this.answer(0x00);
        break;
      default:
        if ((command >= 0x60 && command < 0x80) || (command >= 0xd1 && command <= 0xd4)) {
          s.command = command;
        }
    }
  }

  private data(command: number, value: number): void {
    const s = this.state;
    switch (command) {
      case 0x60:
        s.config = value & 0x7f;
        this.updateIrq();
        break;
      case 0xd1:
        s.outputPort = value;
        if ((value & 1) === 0) this.reset();
        break;
      case 0xd2: // as if from the keyboard
        s.answers.push({ byte: value, aux: false });
        break;
      case 0xd3: // as if from the mouse
        s.answers.push({ byte: value, aux: true });
        break;
      case 0xd4:
        s.config &= ~CONFIG_AUX_OFF;
        this.mouse.write(value);
        break;
      default:
        s.memory[command & 0x1f] = value;
    }
  }

  private answer(byte: number): void {
    this.state.answers.push({ byte, aux: false });
  }

  /** Fills the output buffer when it is empty and someone has a byte. */
  private pump(): void {
    const s = this.state;
    while (!s.full) {
      const answer = s.answers.shift();
      if (answer !== undefined) {
        this.fill(answer.byte, answer.aux);
      } else if ((s.config & CONFIG_KEYBOARD_OFF) === 0 && this.keyboard.queue.length > 0) {
        this.fromKeyboard(this.keyboard.queue.shift()!);
      } else if ((s.config & CONFIG_AUX_OFF) === 0 && this.mouse.queue.length > 0) {
        this.fill(this.mouse.queue.shift()!, true);
      } else {
        return;
      }
    }
  }

  private fromKeyboard(byte: number): void {
    const s = this.state;
    if ((s.config & CONFIG_TRANSLATE) === 0) {
      this.fill(byte, false);
    } else if (byte === BREAK) {
      s.breakSeen = true;
    } else {
      this.fill(translateScanCode(byte) | (s.breakSeen ? 0x80 : 0), false);
      s.breakSeen = false;
    }
  }

  private fill(byte: number, aux: boolean): void {
    const s = this.state;
    s.data = byte;
    s.full = true;
    s.fromAux = aux;
    this.updateIrq();
  }

  private updateIrq(): void {
    const s = this.state;
    this.irq1(s.full && !s.fromAux && (s.config & CONFIG_IRQ1) !== 0);
    this.irq12(s.full && s.fromAux && (s.config & CONFIG_IRQ12) !== 0);
  }
}
