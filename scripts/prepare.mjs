// Before `npm test` and `npm run bench`: dependencies, a build, and the guest as well as it can be had; tests
// that need the guest skip, and say so, where it cannot. `prepare.mjs install` stops at the dependencies,
// `prepare.mjs build` before the guest.

import { buildIfStale, installIfMissing } from './setup.mjs';

const last = process.argv[2];
installIfMissing();
if (last === 'install') process.exit();
buildIfStale();
if (last === 'build') process.exit();

const { load, root } = await import('./typescript.mjs');
const { debianGuest, GuestUnavailable } = await load('guests/debian.ts');
try {
  await debianGuest({ root, progress: (line) => console.error(`guest: ${line}`) });
} catch (error) {
  if (!(error instanceof GuestUnavailable)) throw error;
  console.error(`Tests that boot a guest will be skipped. ${error.message}`);
}
