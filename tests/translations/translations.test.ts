/**
 * Translations in another run than the one that made them: the guests of tests/system, which do to
 * their code what a guest can, must print the same; and a file that is of no use must do no harm.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Translator } from '../../jit/translator.ts';
import { bundleTranslations } from '../../jit/translations/bundle.ts';
import {
  readDescription,
  UnusableTranslations,
  withDescription,
  type Made,
} from '../../jit/translations/format.ts';
import { hashOf } from '../../jit/translations/hash.ts';
import { Recorder } from '../../jit/translations/recorder.ts';
import { SavedTranslations } from '../../jit/translations/saved.ts';
import { joinCode } from '../../jit/translations/write.ts';
import { readModule } from '../../jit/wasm/reader.ts';
import { coreBytes } from '../lib/tiers.ts';
import { guestImage, runImage, type Outcome } from '../system/guest.ts';

const folder = fileURLToPath(new URL('../system/guests', import.meta.url));
const GUESTS = readdirSync(folder)
  .filter((name) => name.endsWith('.img'))
  .map((name) => name.slice(0, -4));

const made: Made = { version: 'test', core: hashOf(coreBytes()) };
type File = Uint8Array<ArrayBuffer>;

interface Run {
  outcome: Outcome;
  file: File;
  translator: Translator;
}

async function run(image: Buffer, file?: File, batch = 1): Promise<Run> {
  const saved = file && (await SavedTranslations.read(file, made));
  const recorder = new Recorder(made, saved);
  let translator: Translator | undefined;
  const options = { heatLimit: 2, batch, recorder, saved };
  const outcome = await runImage(image, options, (one) => (translator = one));
  return { outcome, file: translator!.translations()!, translator: translator! };
}

describe('a second run', () => {
  it.each(GUESTS)('of %s prints what the first does, and the third', async (name) => {
    const image = guestImage(name);
    const interpreted = await runImage(image, undefined);
    const first = await run(image);
    expect(first.outcome).toEqual(interpreted);
    const second = await run(image, first.file);
    expect(second.outcome).toEqual(interpreted);
    const { regions, loaded } = second.translator.saved!.counts;
    if (regions > 0) expect(loaded).toBeGreaterThan(0);
    const third = await run(image, second.file);
    expect(third.outcome).toEqual(interpreted);
  });

  it('translates less', async () => {
    const image = guestImage('code');
    const first = await run(image);
    const second = await run(image, first.file);
    expect(second.translator.counts.regions).toBeLessThan(first.translator.counts.regions / 2);
  });

  it('uses a bundle of all guests', async () => {
    const files: { path: string; bytes: File }[] = [];
    for (const name of GUESTS) {
      files.push({ path: name, bytes: (await run(guestImage(name))).file });
    }
    // All of them lie at the same addresses: each is another kernel to the others.
    const bundle = bundleTranslations([...files, ...files], made, (module) => module);
    expect(bundle.regions).toBeLessThan(bundle.before);
    for (const name of GUESTS) {
      const image = guestImage(name);
      const { outcome } = await run(image, bundle.file);
      expect(outcome, name).toEqual(await runImage(image, undefined));
    }
  });
});

describe('a file that is of no use', () => {
  const read = (file: File, by = made) => SavedTranslations.read(file, by);

  it('is refused wherever a bit is another, and wherever it ends', async () => {
    const { file } = await run(guestImage('code'));
    for (let i = 0; i < 400; i++) {
      const damaged = file.slice();
      const bit = Math.floor((i / 400) * file.length * 8) + (i % 8);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await expect(read(damaged), `bit ${bit}`).rejects.toThrow(UnusableTranslations);
    }
    for (let i = 0; i < 100; i++) {
      const short = file.slice(0, Math.floor((i / 100) * file.length));
      await expect(read(short), `${short.length} bytes`).rejects.toThrow(UnusableTranslations);
    }
  });

  it('is refused when another version, or another core, made it', async () => {
    const { file } = await run(guestImage('code'));
    await expect(read(file, { ...made, version: 'other' })).rejects.toThrow('vmi86 test');
    await expect(read(file, { ...made, core: [1, 2] })).rejects.toThrow('another build');
    await expect(read(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))).rejects.toThrow(
      'no file',
    );
    await expect(read(new Uint8Array(0))).rejects.toThrow('no file');
  });

  it('does no harm when it is of other code at the same addresses', async () => {
    const image = guestImage('code');
    const { file } = await run(image);
    // The regions are those of the guest, their hashes are not.
    const regions = readDescription(file, made).map((region) => ({
      ...region,
      nodes: region.nodes.map((node) => ({
        ...node,
        hash: [node.hash[0] ^ 1, node.hash[1]] as const,
      })),
    }));
    const { table } = readModule(file);
    const code = regions.map((_, i) => ({ module: file, function: table.get(i)! }));
    const second = await run(image, withDescription(joinCode(code), made, regions));
    expect(second.outcome).toEqual(await runImage(image, undefined));
    expect(second.translator.saved!.counts.loaded).toBe(0);
    expect(second.translator.saved!.counts.rejected).toBeGreaterThan(0);
  });
});
