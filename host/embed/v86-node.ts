/** `vmi86/v86` in Node. */

import { createMachine } from './node';
import { V86Base, type V86Options } from './v86';

/** A machine with v86's interface, as far as the types here say. */
export class V86 extends V86Base {
  constructor(options: V86Options) {
    super(options, createMachine);
  }
}

export default V86;
export type { V86Container, V86Events, V86Image, V86Options } from './v86';
