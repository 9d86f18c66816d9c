// Runs in every test file. Many tests compute for seconds without a pause; after each of them the
// worker gets a turn of its event loop, or vitest takes its silence for a hang after a minute.

import { afterEach } from 'vitest';

afterEach(() => new Promise<void>((resolve) => setImmediate(resolve)));
