/** bzImages that are nearly empty, for tests of loading. */

export const MIB = 1 << 20;

export interface Fields {
  version?: number;
  relocatable?: boolean;
  alignment?: number;
  minimumAlignment?: number;
  preferred?: number;
  initSize?: number;
  initrdMax?: number;
  commandLineSize?: number;
  extendedFlags?: number;
  payload?: number;
  /** What the kernel is packed as, instead of `payload` recognisable bytes. */
  content?: Uint8Array;
  payloadLength?: number;
}

/** A file that says about itself what Debian's vmlinuz says, around a recognisable payload. */
export function bzImage(fields: Fields = {}): Uint8Array {
  const setupSectors = 3;
  const payload = fields.content?.length ?? fields.payload ?? 64 * 1024;
  const file = new Uint8Array((setupSectors + 1) * 512 + payload);
  const view = new DataView(file.buffer);
  view.setUint8(0x1f1, setupSectors);
  view.setUint32(0x1f4, Math.ceil(payload / 16), true);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint8(0x200, 0xeb);
  view.setUint8(0x201, 0x66);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, fields.version ?? 0x020f, true);
  view.setUint8(0x211, 1);
  view.setUint32(0x214, 0x100000, true);
  view.setUint32(0x22c, fields.initrdMax ?? 0x37ffffff, true);
  view.setUint32(0x230, fields.alignment ?? 0x1000000, true);
  view.setUint8(0x234, (fields.relocatable ?? true) ? 1 : 0);
  view.setUint8(0x235, fields.minimumAlignment ?? 13);
  view.setUint16(0x236, fields.extendedFlags ?? 0, true);
  view.setUint32(0x238, fields.commandLineSize ?? 2047, true);
  view.setUint32(0x258, fields.preferred ?? 0x1000000, true);
  view.setUint32(0x260, fields.initSize ?? 8 * MIB, true);
  file.fill(0x5a, (setupSectors + 1) * 512);
  if (fields.content) {
    file.set(fields.content, (setupSectors + 1) * 512);
    view.setUint32(0x24c, fields.payloadLength ?? payload, true);
  }
  return file;
}
