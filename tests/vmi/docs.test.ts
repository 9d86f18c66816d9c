// docs/vmi.md has the table of calls as the code has it.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CALLS } from '../../host/vmi/calls.ts';
import { VMI_OPTIONS } from '../../host/vmi/options.ts';
import { document } from '../../scripts/vmi-docs.mjs';

const text = readFileSync(new URL('../../docs/vmi.md', import.meta.url), 'utf8');

test('the table is the code’s: node scripts/vmi-docs.mjs writes it', async () => {
  expect(text).toBe(await document(text, CALLS));
});

test('every option is explained', () => {
  for (const option of VMI_OPTIONS) expect(text).toContain(`\`no-${option}\``);
});
