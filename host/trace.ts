/**
 * Named trace channels. A channel that is off is `undefined`, so the cost of a trace point in a
 * device is one test of a field: `this.trace.io?.(...)` does not even build its arguments.
 */

export const TRACE_CHANNELS = ['io', 'mmio', 'irq', 'timer', 'disk', 'boot', 'jit', 'vmi'] as const;
export type TraceChannel = (typeof TRACE_CHANNELS)[number];
export type TraceLine = (text: string) => void;

export type Trace = { readonly [channel in TraceChannel]?: TraceLine };

export const NO_TRACE: Trace = {};

/** Channels by name; lines are given to `write` as "channel: text". */
export function createTrace(channels: Iterable<TraceChannel>, write: TraceLine): Trace {
  const trace: { [channel in TraceChannel]?: TraceLine } = {};
  for (const channel of channels) {
    trace[channel] = (text) => write(`${channel}: ${text}`);
  }
  return trace;
}

export function hex(value: number, digits = 2): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}
