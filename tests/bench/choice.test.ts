import { expect, test } from 'vitest';
import { matcher, noSuchRow, repetitionsOf } from '../../bench/choice.ts';

test('rows are chosen by a regular expression, by their names or by that of their section', () => {
  const wanted = matcher('GZIP|x87');
  expect(wanted('gzip, 8 MiB of zeros', 'whole system')).toBe(true);
  expect(wanted('division and root', 'x87')).toBe(true);
  expect(wanted('sieve')).toBe(false);
  expect(matcher(undefined)('sieve')).toBe(true);
  expect(() => matcher('(')).toThrow("--only (: give a regular expression, such as 'gzip|sieve'");
  expect(noSuchRow('no', ['a', 'b']).message).toBe('--only no: no such row; there are: a; b');
});

test('a bench runs three times, a quick one once, and as often as it is told', () => {
  expect(repetitionsOf({ quick: false })).toBe(3);
  expect(repetitionsOf({ quick: true })).toBe(1);
  expect(repetitionsOf({ quick: true, repeat: '2' })).toBe(2);
  for (const repeat of ['0', '-1', '1.5', 'x', '']) {
    expect(() => repetitionsOf({ quick: false, repeat })).toThrow('give a number from 1 on');
  }
});
