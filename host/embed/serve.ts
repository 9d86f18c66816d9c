/** The worker's side of remote.ts: makes one machine when it is told to and does what it is called for. */

import type { Platform, Port } from '../platform/platform';
import type { EngineOptions } from './engine';
import { LocalEngine } from './local';
import type { Call } from './remote';
import type { CoreSource } from './types';
import { toWire } from './wire';

/** What may be called from outside. */
const METHODS = [
  ...['run', 'pause', 'reset', 'powerButton', 'send', 'type', 'hold'],
  ...['screen', 'stats', 'registers', 'regions', 'region', 'translations', 'close'],
] as const;
type Method = (typeof METHODS)[number];

export function serve(port: Port, platform: Platform, core: CoreSource): void {
  let engine: LocalEngine | undefined;
  const event = (name: string, value?: unknown): void => port.post({ event: name, value });

  const create = async (options: EngineOptions): Promise<void> => {
    engine = await LocalEngine.create({
      options,
      core,
      platform,
      progress: (progress) => event('progress', progress),
    });
    engine.events = {
      serial: (bytes) => event('serial', bytes),
      poweroff: () => event('poweroff'),
      reset: () => event('reset'),
      failure: (failure) => event('failure', failure),
      broken: (error) => event('broken', toWire(error)),
    };
  };

  const perform = async ({ method, args }: Call): Promise<unknown> => {
    if (method === 'create') return create(args[0] as EngineOptions);
    if (!engine || !METHODS.includes(method as Method)) throw new Error(`no ${method} here`);
    return (engine[method as 'run'] as (...args: unknown[]) => unknown)(...args);
  };

  const receive = (message: unknown): void => {
    const call = message as Call;
    perform(call).then(
      (result) => {
        if (call.id !== undefined) port.post({ id: call.id, result });
      },
      (error: unknown) => {
        if (call.id !== undefined) port.post({ id: call.id, error: toWire(error) });
        else event('broken', toWire(error));
      },
    );
  };
  port.listen(receive, () => {});
}
