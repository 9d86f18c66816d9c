/**
 * The chipset's ways to reset the machine: system control port A (92h) and the PIIX's reset control
 * register (CF9h; 82371AB data sheet, 4.2.8). The keyboard controller has the third, i8042.ts.
 *
 * Not modelled: the A20 gate (address line 20 is always open; the bit is kept), the difference
 * between a hard and a soft reset.
 */

import type { PortHandler } from '../bus';

export const PORT_A = 0x92;
export const RESET_CONTROL = 0xcf9;
/** Written to RESET_CONTROL, resets: a hard reset, with the bit that starts it. */
export const RESET_VALUE = 0x06;

const PORT_A_RESET = 0x01;
const PORT_A_A20 = 0x02;
const RESET_CPU = 0x04;
const RESET_WRITABLE = 0x0e;

export class ResetPorts implements PortHandler {
  readonly name = 'reset';
  readonly state = { portA: PORT_A_A20, control: 0 };

  constructor(private readonly reset: () => void) {}

  read(port: number): number {
    return port === PORT_A ? this.state.portA : this.state.control;
  }

  write(port: number, value: number): void {
    const s = this.state;
    if (port === PORT_A) {
      const rises = (value & ~s.portA & PORT_A_RESET) !== 0;
      s.portA = value & (PORT_A_RESET | PORT_A_A20);
      if (rises) this.reset();
    } else {
      const rises = (value & ~s.control & RESET_CPU) !== 0;
      s.control = value & RESET_WRITABLE & ~RESET_CPU;
      if (rises) this.reset();
    }
  }
}
