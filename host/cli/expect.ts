// Watches the serial output for what --expect waits for.

/** A match may span this much of the latest output, not more. */
const WINDOW = 16 * 1024;

export class Expect {
  private tail = '';
  private readonly decoder = new TextDecoder();

  constructor(private readonly pattern: RegExp) {}

  /** True as soon as the output so far, up to the window, matches. */
  feed(output: Uint8Array): boolean {
    this.tail += this.decoder.decode(output, { stream: true });
    const found = this.pattern.test(this.tail);
    this.tail = this.tail.slice(-WINDOW);
    return found;
  }
}
