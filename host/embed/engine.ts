/**
 * What stands between the interface (vm.ts) and a machine: the machine itself in this thread
 * (local.ts), or one in a worker (remote.ts). Both sides of the worker speak this.
 */

import type {
  Failure,
  RegionDetail,
  RegionSummary,
  ScreenText,
  Statistics,
  CreateOptions,
} from './types';

/** What an engine tells. */
export interface EngineEvents {
  serial(bytes: Uint8Array): void;
  poweroff(): void;
  reset(): void;
  failure(failure: Failure): void;
  /** The engine itself broke: a bug of ours, or a worker that died. */
  broken(error: Error): void;
}

export interface Engine {
  run(): void;
  pause(): void;
  reset(): void;
  powerButton(): void;
  /** Sends bytes to the first serial port. */
  send(bytes: Uint8Array): void;
  type(text: string): void;
  /** The reader of the serial output is behind: no more of it until it has caught up. */
  hold(on: boolean): void;
  screen(): Promise<ScreenText>;
  stats(): Promise<Statistics>;
  registers(): Promise<string>;
  translations(): Promise<Uint8Array>;
  regions(): Promise<RegionSummary[]>;
  region(id: number): Promise<RegionDetail | undefined>;
  close(): Promise<void>;
}

/** Options of a machine without those that concern the side of the caller. */
export type EngineOptions = Omit<CreateOptions, 'worker' | 'on' | 'signal'>;
