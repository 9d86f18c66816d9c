/** Translations of earlier runs as a machine takes and gives them. What they are: jit/translations. */

import { version } from '../package.json';
import { UnusableTranslations } from '../jit/translations/format';
import { hashOf } from '../jit/translations/hash';
import { Recorder } from '../jit/translations/recorder';
import { SavedTranslations } from '../jit/translations/saved';

export interface TranslationOptions {
  /** A file that an earlier run has left. */
  file?: Uint8Array<ArrayBuffer> | undefined;
  /** Machine.translations() will be asked for. */
  keep?: boolean | undefined;
  /** Told why the file is of no use; the machine runs without it. */
  onUnusable?: ((reason: string) => void) | undefined;
}

/** The translator's part of the options. */
export async function prepareTranslations(
  options: TranslationOptions | undefined,
  coreBytes: Uint8Array,
): Promise<{ saved?: SavedTranslations; recorder?: Recorder }> {
  if (!options) return {};
  const made = { version, core: hashOf(coreBytes) };
  let saved: SavedTranslations | undefined;
  if (options.file) {
    try {
      saved = await SavedTranslations.read(options.file, made);
    } catch (error) {
      if (!(error instanceof UnusableTranslations)) throw error;
      options.onUnusable?.(error.message);
    }
  }
  return { ...(saved && { saved }), ...(options.keep && { recorder: new Recorder(made, saved) }) };
}
