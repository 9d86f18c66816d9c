/** The panel: statistics twice a second, as rates where a total says nothing. */

import type { Statistics, VirtualMachine } from '../host/embed/types';
import { element, grouped, setText, showBars } from './elements';
import { Plot } from './plot';

const MILLISECONDS = 500;

const plots = {
  mips: new Plot(element('plot-mips'), '#2f81d6'),
  share: new Plot(element('plot-share'), '#2e9e5b', 100),
  bytes: new Plot(element('plot-bytes'), '#b7791f'),
  fills: new Plot(element('plot-fills'), '#8a5cd6'),
};

interface Sample {
  at: number;
  stats: Statistics;
}

let machine: VirtualMachine | undefined;
let last: Sample | undefined;

export function attachPanel(next: VirtualMachine | undefined): void {
  machine = next;
  last = undefined;
  for (const plot of Object.values(plots)) plot.clear();
}

/** Instructions a second, in millions, between two samples. */
export function mips(before: Sample, now: Sample): number {
  const done = now.stats.instructions.total - before.stats.instructions.total;
  return done / (now.at - before.at) / 1000;
}

function show(now: Sample): void {
  const { stats } = now;
  const { translator = {} } = stats;
  const kibibytes = (translator['bytes'] ?? 0) / 1024;
  setText('bytes', grouped(kibibytes));
  if (last) {
    const time = now.at / 1000;
    const speed = mips(last, now);
    const done = stats.instructions.total - last.stats.instructions.total;
    const compiled = stats.instructions.compiled - last.stats.instructions.compiled;
    // An idle guest does next to nothing, and a share of nothing says nothing.
    const share = done > 1000 ? (100 * compiled) / done : 0;
    const fills = (stats.tlb.fills - last.stats.tlb.fills) / (now.at - last.at);
    plots.mips.add(time, speed);
    plots.share.add(time, share);
    plots.bytes.add(time, kibibytes);
    plots.fills.add(time, fills);
    setText('mips', speed.toFixed(speed < 10 ? 1 : 0));
    setText('share', share.toFixed(0));
    setText('fills', fills.toFixed(1));
  }
  last = now;
  const figures: Record<string, string> = {
    'guest time': `${stats.guestSeconds.toFixed(1)} s`,
    instructions: `${grouped(stats.instructions.total / 1e6)} M`,
    'regions alive': grouped(translator['live'] ?? 0),
    modules: grouped(translator['modules'] ?? 0),
    'translating took': `${grouped(translator['translateMilliseconds'] ?? 0)} ms`,
    'compiling took': `${grouped(translator['compileMilliseconds'] ?? 0)} ms`,
    'TLB flushes': grouped(stats.tlb.flushes),
    'page faults': grouped(stats.exceptions['#PF'] ?? 0),
  };
  element('figures').replaceChildren(
    ...Object.entries(figures).map(([name, value]) => {
      const group = document.createElement('div');
      const dt = Object.assign(document.createElement('dt'), { textContent: name });
      const dd = Object.assign(document.createElement('dd'), { textContent: value });
      group.append(dt, dd);
      return group;
    }),
  );
  showBars('exits', stats.exits, 'none yet');
  showBars('calls', stats.paravirt.calls, 'none: VMI is off, or the guest does not know it');
}

setInterval(() => {
  const asked = machine;
  if (document.hidden || asked?.state !== 'running') return;
  asked.stats().then(
    (stats) => {
      if (asked === machine) show({ at: performance.now(), stats });
    },
    () => {},
  );
}, MILLISECONDS);
