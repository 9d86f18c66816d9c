/**
 * Errors that users of the package get. The message says what is wrong and what to do; the code is
 * for programs.
 */

/**
 * - `option`: an option has a value that cannot be
 * - `image`: an image is not what it should be
 * - `load`: an image could not be loaded, or its download stalled
 * - `memory`: the engine cannot give so much memory
 * - `unsupported`: this browser or Node lacks what the emulator needs
 * - `worker`: the worker could not be started, or ended
 * - `timeout`: what was waited for did not happen in time
 * - `ended`: the guest ended, or died, before it happened
 * - `state`: the machine was destroyed, or cannot do that now
 */
export type VmErrorCode =
  'option' | 'image' | 'load' | 'memory' | 'unsupported' | 'worker' | 'timeout' | 'ended' | 'state';

/** What every promise and call of this package throws. */
export class VmError extends Error {
  override readonly name = 'VmError';

  constructor(
    readonly code: VmErrorCode,
    message: string,
  ) {
    super(message);
  }
}
