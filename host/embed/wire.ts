/** Errors on their way to the user: through a worker's port, and out of the machine's words. */

import { UserError } from '../errors';
import { VmError, type VmErrorCode } from './errors';

/** An error as it goes through a worker's port. */
export interface WireError {
  code: VmErrorCode | undefined;
  message: string;
}

export function toWire(error: unknown): WireError {
  return {
    code: error instanceof VmError ? error.code : undefined,
    message: error instanceof Error ? error.message : String(error),
  };
}

export function fromWire({ code, message }: WireError): Error {
  return code ? new VmError(code, message) : new Error(message);
}

/** An error of the machine in the words of the package: options instead of command-line words. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const option = error.argument.replace(/^--/, '');
  const code = option === 'memory' ? 'option' : 'image';
  return new VmError(code, error.message.replace(/--(?=kernel|initrd|append|memory|disk)/g, ''));
}
