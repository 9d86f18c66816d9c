// What a file of translations is tied to besides the core: the translator's sources. As a `define` of
// esbuild's, so that host/translations.ts knows it.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export function translatorDefine() {
  const hash = createHash('sha256');
  for (const folder of ['jit', 'isa', 'assembly/shared']) {
    const names = readdirSync(join(root, folder), { recursive: true })
      .map((name) => String(name).replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.ts'))
      .sort();
    for (const name of names) hash.update(name).update(readFileSync(join(root, folder, name)));
  }
  return { VMI86_TRANSLATOR: JSON.stringify(hash.digest('hex').slice(0, 12)) };
}
