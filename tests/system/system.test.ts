/**
 * Small guests that print what the processor does: guests/NAME.asm says what it tries, NAME.txt is
 * what must come out. The texts follow the manual; where QEMU prints something else (it checks no
 * segment limits and types, sets neither RF nor EXT, knows no T bit) the manual was read again.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { execFileSync } from '../lib/commands.ts';
import { assemble, folder, names } from './guests/assemble.mjs';
import { runGuest, SYSTEM_TIERS } from './guest.ts';

/** Guests that end otherwise than by themselves. */
const ENDS: Record<string, string> = { triple: 'shutdown' };

describe.each(Object.keys(SYSTEM_TIERS))('system behaviour, %s', (tier) => {
  for (const name of names()) {
    it(name, async () => {
      const { text, end } = await runGuest(name, tier);
      expect(text).toBe(readFileSync(join(folder, `${name}.txt`), 'utf8'));
      expect(end).toBe(ENDS[name] ?? 'done');
    });
  }
});

function hasAssembler(): boolean {
  try {
    execFileSync('nasm', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.runIf(hasAssembler())('images of the guests', () => {
  it.each(names())('%s.img is made from its source', (name) => {
    const scratch = mkdtempSync(join(tmpdir(), 'vmi86-'));
    try {
      assemble(name, join(scratch, 'image'));
      const fresh = readFileSync(join(scratch, 'image'));
      expect(fresh.equals(readFileSync(join(folder, `${name}.img`)))).toBe(true);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});
