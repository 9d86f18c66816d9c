/**
 * node:child_process for tests: whoever waits for a program without a pause of the event loop is
 * beyond vitest's time limits, so each program has one of its own.
 */
import * as node from 'node:child_process';

/** Less than what the watchdog (../setup.ts) waits for. */
const LIMIT_MS = 240_000;

/** The options stand last, with or without a list of arguments before. */
function limited([program, ...rest]: unknown[]): unknown[] {
  const words = Array.isArray(rest[0]) ? [rest[0]] : [];
  const options = rest[words.length] as object | undefined;
  return [program, ...words, { timeout: LIMIT_MS, killSignal: 'SIGKILL', ...options }];
}

export const spawnSync = ((...given: unknown[]) =>
  (node.spawnSync as (...words: unknown[]) => unknown)(...limited(given))) as typeof node.spawnSync;

export const execFileSync = ((...given: unknown[]) =>
  (node.execFileSync as (...words: unknown[]) => unknown)(
    ...limited(given),
  )) as typeof node.execFileSync;
