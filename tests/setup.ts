// Runs in every test file. Many tests compute for seconds without a pause; after each of them the
// worker gets a turn of its event loop, or vitest takes its silence for a hang after a minute. A
// worker that is silent for much longer is ended from outside (tests/watchdog.mjs).

import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect } from 'vitest';

/** No test computes nearly as long without a pause, on a busy machine either. */
const SILENCE = Number(process.env['VMI86_SILENCE'] ?? 300);

const shared = new SharedArrayBuffer(8 + 1024);
const turns = new Int32Array(shared, 0, 2);
const name = new Uint8Array(shared, 8);

function testing(text: string): void {
  const bytes = new TextEncoder().encode(text).subarray(0, name.length);
  name.set(bytes);
  Atomics.store(turns, 1, bytes.length);
}

testing(expect.getState().testPath ?? 'a test file');
setInterval(() => Atomics.add(turns, 0, 1), 1000).unref();
new Worker(new URL('watchdog.mjs', import.meta.url), {
  workerData: { shared, seconds: SILENCE },
}).unref();

beforeEach(() => testing(`${expect.getState().testPath}: ${expect.getState().currentTestName}`));
afterEach(() => new Promise<void>((resolve) => setImmediate(resolve)));
