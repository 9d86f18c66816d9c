/**
 * Key codes: the 8042's translation of scan code set 2 into set 1, and which keys of a US keyboard
 * type a character. Facts only; nothing here has state.
 */

/**
 * Set 1 by set 2 for codes below 80h, as the 8042 translates; rows of 16. Above, only 83h (F7) and
 * 84h (Alt-SysRq) change.
 */
const TABLE =
  'ff43413f3d3b3c58644442403e0f2959' +
  '65382a701d10025a66712c1f1e11035b' +
  '672e2d201205045c68392f211413065d' +
  '693130232215075e6a7232241608095f' +
  '6b332517180b0a606c34352627190c61' +
  '6d7328741a0d626e3a361c1b752b6376' +
  '55567778797a0e7b7c4f7d4b477e7f6f' +
  '5253504c4d480145574e514a37494654';

export const SET1_OF_SET2 = Uint8Array.from(TABLE.match(/../g)!, (pair) => parseInt(pair, 16));

export function translateScanCode(code: number): number {
  if (code < 0x80) return SET1_OF_SET2[code]!;
  return code === 0x83 ? 0x41 : code === 0x84 ? 0x54 : code;
}

const SET2_OF_SET1 = new Map<number, number>([[0x41, 0x83]]);
SET1_OF_SET2.forEach((set1, set2) => {
  if (!SET2_OF_SET1.has(set1)) SET2_OF_SET1.set(set1, set2);
});

/** The keyboard's own (set 2) make code of a key given by its better known set-1 code. */
export function set2OfSet1(code: number): number {
  return (code & 0xff00) | (SET2_OF_SET1.get(code & 0x7f) ?? 0);
}

export interface KeyStroke {
  code: number;
  shift: boolean;
}

export const SHIFT = set2OfSet1(0x2a);

/** Rows of a US keyboard: set-1 code of the first key, then the keys plain and shifted. */
const ROWS = [
  [0x02, '1234567890-=', '!@#$%^&*()_+'],
  [0x10, 'qwertyuiop[]', 'QWERTYUIOP{}'],
  [0x1e, "asdfghjkl;'`", 'ASDFGHJKL:"~'],
  [0x2b, '\\zxcvbnm,./', '|ZXCVBNM<>?'],
  [0x39, ' ', ' '],
  [0x1c, '\n', '\r'],
  [0x0f, '\t', ''],
  [0x0e, '\b', '\x7f'],
  [0x01, '\x1b', ''],
] as const;

const STROKES = new Map<string, KeyStroke>();
for (const [first, plain, shifted] of ROWS) {
  [...plain].forEach((c, i) => STROKES.set(c, { code: set2OfSet1(first + i), shift: false }));
  [...shifted].forEach((c, i) => {
    const letter = c > ' ' && c !== '\x7f';
    if (!STROKES.has(c)) STROKES.set(c, { code: set2OfSet1(first + i), shift: letter });
  });
}

/** The key for a character, if a US keyboard has one. */
export function keyStroke(character: string): KeyStroke | undefined {
  return STROKES.get(character);
}
