/** A headless Chromium, where there is one: Debian's, driven by playwright-core. */

import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const executablePath = process.env['VMI86_CHROMIUM'] ?? PLACES.find((at) => existsSync(at));

if (!executablePath) {
  console.warn('Tests in a browser are skipped: no Chromium; apt-get install chromium brings it.');
}

export function launch(): Promise<Browser> {
  // Containers run as root and give little shared memory.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
  return chromium.launch({ executablePath: executablePath!, args });
}
