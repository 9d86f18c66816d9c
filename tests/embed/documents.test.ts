// docs/api.md is what the docstrings say.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('docs/api.md is of this source: npm run api makes it', async () => {
  const { apiText } = (await import(pathToFileURL(join(root, 'scripts/api.mjs')).href)) as {
    apiText(): Promise<string>;
  };
  expect(readFileSync(join(root, 'docs/api.md'), 'utf8')).toBe(await apiText());
});
