// The keys that vmi86 keeps for itself, as QEMU's: Ctrl-A is a prefix. All else goes to the guest.

export type KeyCommand = 'quit' | 'help';

export interface Typed {
  /** For the guest. */
  data: Uint8Array;
  commands: KeyCommand[];
}

export const KEYS_HELP = ['Ctrl-A h  this help', 'Ctrl-A x  quit', 'Ctrl-A Ctrl-A  send Ctrl-A'];

const PREFIX = 1;

export class Keys {
  private prefixed = false;

  feed(typed: Uint8Array): Typed {
    const data: number[] = [];
    const commands: KeyCommand[] = [];
    for (const byte of typed) {
      if (!this.prefixed) {
        if (byte === PREFIX) this.prefixed = true;
        else data.push(byte);
        continue;
      }
      this.prefixed = false;
      switch (byte) {
        case PREFIX:
          data.push(PREFIX);
          break;
        case 0x78: // x
          commands.push('quit');
          break;
        case 0x68: // h
        case 0x3f: // ?
          commands.push('help');
          break;
      }
    }
    return { data: Uint8Array.from(data), commands };
  }
}
