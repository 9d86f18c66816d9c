/** createMachine(), for a platform: checks the options, makes the engine where it is wanted. */

import type { Platform } from '../platform/platform';
import { VmError } from './errors';
import { LocalEngine } from './local';
import { RemoteEngine } from './remote';
import type { CreateOptions, Progress, VirtualMachine } from './types';
import { listeners, Vm } from './vm';

/** What an entry of the package knows that this module cannot. */
export interface Home {
  platform(): Platform & { close?(): void };
  /** Where the core is, as seen from the entry's own module. */
  core: URL;
  /** The worker's script; called only for a machine in one, because bundlers look for this call. */
  startWorker(): URL | object;
}

const CHOICES: Record<string, readonly unknown[]> = {
  clock: ['host', 'virtual'],
  paravirt: ['none', 'vmi', 'kvm', 'vmware'],
  jit: [true, false],
  unpack: [true, false],
  inspect: [true, false],
};

const KNOWN = [
  ...[
    'kernel',
    'initrd',
    'append',
    'memory',
    'disk',
    'worker',
    'core',
    'on',
    'signal',
    'translations',
  ],
  ...['stallTimeout', ...Object.keys(CHOICES)],
];

export async function create(options: CreateOptions, home: Home): Promise<VirtualMachine> {
  check(options);
  const { worker = false, on = {}, signal, ...rest } = options;
  const platform = home.platform();
  const events = listeners();
  for (const [name, listener] of Object.entries(on)) {
    const set = events[name as 'serial'] as Set<unknown> | undefined;
    if (!set) throw new VmError('option', `on.${name}: there is no such event`);
    if (listener) set.add(listener);
  }
  const progress = (event: Progress): void => {
    for (const listener of events.progress) listener(event);
  };
  try {
    const engine = worker
      ? await RemoteEngine.create({
          options: rest,
          core: rest.core,
          worker: worker === true ? home.startWorker() : worker,
          platform,
          progress,
          signal,
        })
      : await LocalEngine.create({ options: rest, core: home.core, platform, progress, signal });
    return new Vm({ engine, platform, listeners: events });
  } catch (error) {
    platform.close?.();
    throw error;
  }
}

function check(options: CreateOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new VmError('option', 'createMachine takes an object of options; kernel is one of them');
  }
  for (const [name, value] of Object.entries(options)) {
    if (!KNOWN.includes(name)) {
      throw new VmError(
        'option',
        `${name}: there is no such option; there are ${KNOWN.join(', ')}`,
      );
    }
    const choices = CHOICES[name];
    if (choices && value !== undefined && !choices.includes(value)) {
      throw new VmError('option', `${name}: ${String(value)}; give ${choices.join(' or ')}`);
    }
  }
  if (options.append !== undefined && typeof options.append !== 'string') {
    throw new VmError('option', 'append: give the command line as a string');
  }
}
