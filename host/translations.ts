/** Translations of earlier runs as a machine takes and gives them. What they are: jit/translations. */

import { version } from '../package.json';
import { UnusableTranslations, type Made } from '../jit/translations/format';
import { hashOf } from '../jit/translations/hash';
import { Recorder } from '../jit/translations/recorder';
import { SavedTranslations } from '../jit/translations/saved';

/** Of the translator's sources: the build puts it in (scripts/translator-hash.mjs). */
declare const VMI86_TRANSLATOR: string | undefined;

export interface TranslationOptions {
  /** A file that an earlier run has left. */
  file?: Uint8Array | undefined;
  /** Machine.translations() will be asked for. */
  keep?: boolean | undefined;
  /** Told why the file is of no use; the machine runs without it. */
  onUnusable?: ((reason: string) => void) | undefined;
}

/** What files are tied to that are made with this core. */
export function madeBy(coreBytes: Uint8Array): Made {
  const translator = typeof VMI86_TRANSLATOR === 'undefined' ? 'source' : VMI86_TRANSLATOR;
  return { version: `${version}+${translator}`, core: hashOf(coreBytes) };
}

/** The translator's part of the options. */
export async function prepareTranslations(
  options: TranslationOptions | undefined,
  coreBytes: Uint8Array,
): Promise<{ saved?: SavedTranslations; recorder?: Recorder }> {
  if (!options) return {};
  const made = madeBy(coreBytes);
  let saved: SavedTranslations | undefined;
  if (options.file) {
    try {
      saved = await SavedTranslations.read(options.file as Uint8Array<ArrayBuffer>, made);
    } catch (error) {
      if (!(error instanceof UnusableTranslations)) throw error;
      options.onUnusable?.(error.message);
    }
  }
  return { ...(saved && { saved }), ...(options.keep && { recorder: new Recorder(made, saved) }) };
}
