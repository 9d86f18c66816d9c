/**
 * A small assembler for ACPI Machine Language and resource descriptors: each function returns the
 * bytes of one construct (ACPI 6.0 chapters 20 and 6.4). Only what tables.ts needs.
 */

export type Aml = readonly number[];

const word = (value: number): Aml => [value & 0xff, (value >>> 8) & 0xff];
const dword = (value: number): Aml => [...word(value), ...word(value >>> 16)];

/** A length that counts its own bytes (20.2.4). */
function packageLength(content: number): Aml {
  if (content + 1 < 0x40) return [content + 1];
  for (let extra = 1; extra <= 3; extra++) {
    const length = content + 1 + extra;
    if (length < 2 ** (4 + 8 * extra)) {
      const rest = Array.from({ length: extra }, (_, i) => (length >>> (4 + 8 * i)) & 0xff);
      return [(extra << 6) | (length & 15), ...rest];
    }
  }
  throw new Error('AML package too long');
}

function segment(text: string): Aml {
  return [...text.padEnd(4, '_')].map((c) => c.charCodeAt(0));
}

/** A name or path: `\_SB`, `_HID`, `\_SB.PCI0`. */
export function path(text: string): Aml {
  const root = text.startsWith('\\');
  const segments = (root ? text.slice(1) : text).split('.').map(segment);
  const prefix =
    segments.length === 1 ? [] : segments.length === 2 ? [0x2e] : [0x2f, segments.length];
  return [...(root ? [0x5c] : []), ...prefix, ...segments.flat()];
}

export function integer(value: number): Aml {
  if (value === 0 || value === 1) return [value];
  if (value < 0x100) return [0x0a, value];
  if (value < 0x10000) return [0x0b, ...word(value)];
  return [0x0c, ...dword(value)];
}

export function string(text: string): Aml {
  return [0x0d, ...[...text].map((c) => c.charCodeAt(0)), 0];
}

/** A compressed EISA id such as PNP0A03 (19.3.4). */
export function eisaId(id: string): Aml {
  const letter = (i: number): number => id.charCodeAt(i) - 0x40;
  const vendor = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const product = parseInt(id.slice(3), 16);
  return [0x0c, vendor >> 8, vendor & 0xff, product >> 8, product & 0xff];
}

export function buffer(bytes: Aml): Aml {
  const content = [...integer(bytes.length), ...bytes];
  return [0x11, ...packageLength(content.length), ...content];
}

export function pack(elements: readonly Aml[]): Aml {
  const content = [elements.length, ...elements.flat()];
  return [0x12, ...packageLength(content.length), ...content];
}

export function name(text: string, value: Aml): Aml {
  return [0x08, ...path(text), ...value];
}

export function scope(text: string, ...body: Aml[]): Aml {
  const content = [...path(text), ...body.flat()];
  return [0x10, ...packageLength(content.length), ...content];
}

export function device(text: string, ...body: Aml[]): Aml {
  const content = [...path(text), ...body.flat()];
  return [0x5b, 0x82, ...packageLength(content.length), ...content];
}

// --- Resource descriptors ---------------------------------------------------------------------

/** A resource template: descriptors and the end tag, whose checksum of zero means "none". */
export function resources(...descriptors: Aml[]): Aml {
  return buffer([...descriptors.flat(), 0x79, 0x00]);
}

/** A fixed range of ports, all 16 address lines decoded. */
export function io(base: number, length: number): Aml {
  return [0x47, 0x01, ...word(base), ...word(base), 0x01, length];
}

/** An edge-triggered, active high ISA interrupt. */
export function irq(line: number): Aml {
  return [0x22, ...word(1 << line)];
}

export function memory32Fixed(base: number, length: number): Aml {
  return [0x86, ...word(9), 0x01, ...dword(base), ...dword(length)];
}

const PRODUCER_FIXED = 0x0c; // minimum and maximum fixed, positive decode, producer

export function busNumbers(first: number, last: number): Aml {
  const range = [0, first, last, 0, last - first + 1].flatMap(word);
  return [0x88, ...word(13), 0x02, PRODUCER_FIXED, 0x00, ...range];
}

export function ioWindow(first: number, last: number): Aml {
  const range = [0, first, last, 0, last - first + 1].flatMap(word);
  return [0x88, ...word(13), 0x01, PRODUCER_FIXED, 0x03, ...range];
}

export function memoryWindow(first: number, last: number, cacheable: boolean): Aml {
  const range = [0, first, last, 0, last - first + 1].flatMap(dword);
  return [0x87, ...word(23), 0x00, PRODUCER_FIXED, cacheable ? 0x03 : 0x01, ...range];
}
