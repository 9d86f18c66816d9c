// The committed image is the build of the committed source.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  buildImage,
  imagePath,
  readRecord,
  sourceHash,
  tools,
} from '../../scripts/build-guest.mjs';

const AGAIN = 'run node scripts/build-guest.mjs and commit what it writes';
const record = readRecord();
const found = tools();
const same = found?.gcc === record.gcc && found.ld === record.ld;

it('was built after the last change of the source', () => {
  expect(sourceHash(), AGAIN).toBe(record.source);
});

it('is the image that the record names, and small', () => {
  const image = readFileSync(imagePath);
  expect(createHash('sha256').update(image).digest('hex'), AGAIN).toBe(record.image);
  expect(image.length).toBeLessThan(200_000);
});

const why = found ? `the tools here are ${found.gcc}, ${found.ld}` : 'no gcc and ld here';

it.runIf(same)('is what the recorded compiler makes of the source, byte for byte', () => {
  expect(buildImage().equals(readFileSync(imagePath)), AGAIN).toBe(true);
});

if (!same) it.skip(`is not built again: made by ${record.gcc}, ${record.ld}; ${why}`);
