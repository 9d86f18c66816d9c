// A thread that watches a test worker from outside it. vitest's own limits are timers of the
// worker's event loop, which a test that computes for ever never gives back: then the whole run
// waits, and nothing says for what. This says which test it was, where it stands, and ends it.

import { writeSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { workerData } from 'node:worker_threads';

const { shared, seconds } = workerData;
const turns = new Int32Array(shared, 0, 2);
const name = new Uint8Array(shared, 8);

let last = -1;
let since = performance.now();

setInterval(() => {
  const turn = Atomics.load(turns, 0);
  if (turn !== last) {
    last = turn;
    since = performance.now();
  } else if (performance.now() - since > seconds * 1000) void end();
}, 1000);

async function end() {
  since = Infinity;
  const test = new TextDecoder().decode(name.slice(0, Atomics.load(turns, 1)));
  const say = (text) => writeSync(2, `${text}\n`);
  say(`\n${test}: no turn of the event loop for ${seconds} s; its worker is ended.`);
  // The thread may be where it cannot be stopped (in a system call): then without its stack.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5000);
  const session = new Session();
  session.connectToMainThread();
  session.on('Debugger.paused', ({ params }) => {
    for (const { functionName, url, location } of params.callFrames)
      say(`    at ${functionName || '(anonymous)'} (${url}:${location.lineNumber + 1})`);
    process.kill(process.pid, 'SIGKILL');
  });
  await session.post('Debugger.enable');
  await session.post('Debugger.pause');
}
