// The committed images of the micro-benchmarks are the build of the committed source.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  buildImages,
  folder,
  imageHashes,
  IMAGES,
  readRecord,
  sourceHash,
  tools,
} from '../../scripts/build-micro.mjs';

const AGAIN = 'run node scripts/build-micro.mjs and commit what it writes';
const record = readRecord();
const found = tools();
const same = found?.gcc === record.gcc && found.ld === record.ld;

it('were built after the last change of the source', () => {
  expect(sourceHash(), AGAIN).toBe(record.source);
});

it('are the images that the record names, and small', () => {
  const images = IMAGES.map((name) => readFileSync(join(folder, name)));
  expect(imageHashes(images), AGAIN).toEqual(record.images);
  for (const image of images) expect(image.length).toBeLessThan(100_000);
});

const why = found ? `the tools here are ${found.gcc}, ${found.ld}` : 'no gcc and ld here';

it.runIf(same)('are what the recorded compiler makes of the source, byte for byte', () => {
  expect(imageHashes(buildImages()), AGAIN).toEqual(record.images);
});

if (!same) it.skip(`are not built again: made by ${record.gcc}, ${record.ld}; ${why}`);
