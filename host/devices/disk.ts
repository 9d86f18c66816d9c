/**
 * What a disk controller keeps its sectors in. The platform provides files; this module the
 * interface and a disk in memory for tests and browsers.
 */

export interface DiskBacking {
  /** Bytes; sectors that are not whole are left out. */
  readonly size: number;
  readonly readonly: boolean;
  read(offset: number, bytes: Uint8Array): void;
  write(offset: number, bytes: Uint8Array): void;
  flush(): void;
}

export class MemoryDisk implements DiskBacking {
  flushes = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly readonly = false,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, bytes: Uint8Array): void {
    bytes.set(this.bytes.subarray(offset, offset + bytes.length));
  }

  write(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }

  flush(): void {
    this.flushes++;
  }
}
