// Before `npm test`: dependencies, a build, and the guest as well as it can be had; tests that need
// the guest skip, and say so, where it cannot.

import { buildIfStale, installIfMissing } from './setup.mjs';

installIfMissing();
buildIfStale();

const { load, root } = await import('./typescript.mjs');
const { debianGuest, GuestUnavailable } = await load('guests/debian.ts');
try {
  await debianGuest({ root, progress: (line) => console.error(`guest: ${line}`) });
} catch (error) {
  if (!(error instanceof GuestUnavailable)) throw error;
  console.error(`Tests that boot a guest will be skipped. ${error.message}`);
}
