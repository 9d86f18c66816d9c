/**
 * What hangs on the two PS/2 ports: an AT keyboard (IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboards": commands, scan code sets 2 and 3's ids) and a three-button mouse.
 *
 * Not modelled: typematic repeat (the guest repeats), scan code sets 1 and 3 (set 2 is what the
 * controller translates), the mouse's scaling.
 */

const ACK = 0xfa;
const RESEND = 0xfe;
const SELF_TEST_PASSED = 0xaa;
const BREAK = 0xf0;
const EXTENDED = 0xe0;
/** More waiting bytes than a keyboard's own buffer would hold are dropped. */
const QUEUE_LIMIT = 4096;

export interface Ps2Device {
  /** A byte from the controller. */
  write(byte: number): void;
  /** Bytes for the controller, oldest first. */
  readonly queue: number[];
}

export class Keyboard implements Ps2Device {
  readonly state = {
    queue: [] as number[],
    enabled: true,
    leds: 0,
    scanSet: 2,
    rate: 0x2b,
    /** The command whose argument byte comes next, 0 = none. */
    command: 0,
    last: 0,
  };
  readonly queue = this.state.queue;

  constructor(private readonly changed: () => void) {}

  write(byte: number): void {
    const s = this.state;
    if (s.command !== 0 && byte < 0x80) {
      this.argument(byte);
    } else {
      s.command = 0;
      this.execute(byte);
    }
    this.changed();
  }

  /** A key by its set-2 make code; extended keys are 0xE0xx. */
  key(code: number, down: boolean): void {
    const s = this.state;
    if (!s.enabled || s.queue.length > QUEUE_LIMIT) return;
    if (code > 0xff) s.queue.push(EXTENDED);
    if (!down) s.queue.push(BREAK);
    s.queue.push(code & 0xff);
    this.changed();
  }

  private execute(byte: number): void {
    const s = this.state;
    switch (byte) {
      case 0xed: // set LEDs
      case 0xf0: // select scan code set
      case 0xf3: // set typematic rate
        s.command = byte;
        s.queue.push(ACK);
        break;
      case 0xee: // echo
        s.queue.push(0xee);
        break;
      case 0xf2: // identify
        s.queue.push(ACK, 0xab, 0x83);
        break;
      case 0xf4: // enable
        s.enabled = true;
        s.queue.push(ACK);
        break;
      case 0xf5: // default, disable
        this.setDefaults();
        s.enabled = false;
        s.queue.push(ACK);
        break;
      case 0xf6: // default
        this.setDefaults();
        s.queue.push(ACK);
        break;
      case 0xf7: // all keys typematic, make, break: set 3 only
      case 0xf8:
      case 0xf9:
      case 0xfa:
        s.queue.push(ACK);
        break;
      case 0xfe: // resend
        s.queue.push(s.last);
        break;
      case 0xff: // reset
        s.queue.length = 0;
        this.setDefaults();
        s.queue.push(ACK, SELF_TEST_PASSED);
        break;
      default:
        s.queue.push(RESEND);
    }
    s.last = s.queue[s.queue.length - 1]!;
  }

  private argument(byte: number): void {
    const s = this.state;
    const command = s.command;
    s.command = 0;
    s.queue.push(ACK);
    if (command === 0xed) s.leds = byte & 7;
    else if (command === 0xf3) s.rate = byte;
    else if (byte === 0) s.queue.push(s.scanSet);
    else if (byte <= 3) s.scanSet = byte;
  }

  private setDefaults(): void {
    const s = this.state;
    s.enabled = true;
    s.scanSet = 2;
    s.rate = 0x2b;
    s.leds = 0;
  }
}

export class Mouse implements Ps2Device {
  readonly state = {
    queue: [] as number[],
    reporting: false,
    remote: false,
    wrap: false,
    scaling: false,
    resolution: 2,
    rate: 100,
    command: 0,
    buttons: 0,
  };
  readonly queue = this.state.queue;

  constructor(private readonly changed: () => void) {}

  write(byte: number): void {
    const s = this.state;
    if (s.command !== 0) {
      if (s.command === 0xf3) s.rate = byte;
      else s.resolution = byte & 3;
      s.command = 0;
      s.queue.push(ACK);
    } else if (s.wrap && byte !== 0xec && byte !== 0xff) {
      s.queue.push(byte);
    } else {
      this.execute(byte);
    }
    this.changed();
  }

  /** Relative movement, y upwards, and the buttons: 1 left, 2 right, 4 middle. */
  move(dx: number, dy: number, buttons: number): void {
    const s = this.state;
    s.buttons = buttons & 7;
    if (!s.reporting || s.remote || s.queue.length > QUEUE_LIMIT) return;
    this.packet(dx, dy);
    this.changed();
  }

  private packet(dx: number, dy: number): void {
    const clamp = (v: number): number => Math.max(-255, Math.min(255, Math.trunc(v)));
    const x = clamp(dx);
    const y = clamp(dy);
    const signs = (x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0);
    this.state.queue.push(0x08 | signs | this.state.buttons, x & 0xff, y & 0xff);
  }

  private execute(byte: number): void {
    const s = this.state;
    if (byte !== 0xff && (byte < 0xe6 || byte === 0xe4)) {
      s.queue.push(RESEND);
      return;
    }
    if (byte === 0xff) s.queue.length = 0;
    s.queue.push(ACK);
    switch (byte) {
      case 0xe6: // scaling 1:1
        s.scaling = false;
        break;
      case 0xe7: // scaling 2:1
        s.scaling = true;
        break;
      case 0xe8: // resolution
      case 0xf3: // sample rate
        s.command = byte;
        break;
      case 0xe9: // status
        s.queue.push(
          (s.remote ? 0x40 : 0) | (s.reporting ? 0x20 : 0) | (s.scaling ? 0x10 : 0) | s.buttons,
          s.resolution,
          s.rate,
        );
        break;
      case 0xea: // stream mode
        s.remote = false;
        break;
      case 0xeb: // read data
        this.packet(0, 0);
        break;
      case 0xec: // leave wrap mode
        s.wrap = false;
        break;
      case 0xee: // enter wrap mode
        s.wrap = true;
        break;
      case 0xf0: // remote mode
        s.remote = true;
        break;
      case 0xf2: // identify: a standard mouse
        s.queue.push(0x00);
        break;
      case 0xf4:
        s.reporting = true;
        break;
      case 0xf5:
        s.reporting = false;
        break;
      case 0xff:
        this.setDefaults();
        s.queue.push(SELF_TEST_PASSED, 0x00);
        break;
      case 0xf6:
        this.setDefaults();
        break;
      default: // acknowledged and without effect
    }
  }

  private setDefaults(): void {
    const { queue, buttons } = this.state;
    Object.assign(this.state, {
      queue,
      buttons,
      reporting: false,
      remote: false,
      wrap: false,
      scaling: false,
      resolution: 2,
      rate: 100,
      command: 0,
    });
  }
}
