// Fetches and builds the guest into .cache/guest unless it is there; prints its files.

import { load, root } from './typescript.mjs';

const { debianGuest, GuestUnavailable } = await load('guests/debian.ts');

try {
  const guest = await debianGuest({ root, progress: (line) => console.error(`guest: ${line}`) });
  console.log(JSON.stringify(guest, null, 2));
} catch (error) {
  if (!(error instanceof GuestUnavailable)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
