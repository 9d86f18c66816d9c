/**
 * Errors that are the user's to repair. The command line prints the message as one line and exits
 * with status 2; anything else that is thrown is a bug of ours.
 */

export class UserError extends Error {
  override readonly name = 'UserError';

  /** @param argument what the user wrote, e.g. `--kernel`; starts the message. */
  constructor(
    readonly argument: string,
    message: string,
  ) {
    super(`${argument}: ${message}`);
  }
}
