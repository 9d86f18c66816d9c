/** A line over the last minute, as wide as its place. */

import UPlot from 'uplot';

const SECONDS = 60;
const AXIS = 44;

export class Plot {
  private readonly plot: UPlot;
  private readonly times: number[] = [];
  private readonly values: number[] = [];

  constructor(parent: HTMLElement, color: string, most?: number) {
    const text = getComputedStyle(parent).color;
    const axis: UPlot.Axis = {
      stroke: text,
      grid: { stroke: 'rgba(128,128,128,.25)', width: 1 },
      ticks: { show: false },
    };
    this.plot = new UPlot(
      {
        width: Math.max(parent.clientWidth, 100),
        height: parent.clientHeight || 120,
        cursor: { show: false },
        legend: { show: false },
        scales: {
          x: { time: false },
          y: { range: (_, __, max) => [0, most ?? Math.max(max * 1.1, 1)] },
        },
        axes: [
          { ...axis, show: false },
          { ...axis, size: AXIS },
        ],
        series: [{}, { stroke: color, width: 2, fill: `${color}33`, points: { show: false } }],
      },
      [this.times, this.values],
      parent,
    );
    new ResizeObserver(() => {
      if (parent.clientWidth > 0) {
        this.plot.setSize({ width: parent.clientWidth, height: parent.clientHeight });
      }
    }).observe(parent);
  }

  /** @param time seconds */
  add(time: number, value: number): void {
    this.times.push(time);
    this.values.push(value);
    while (this.times[0]! < time - SECONDS) {
      this.times.shift();
      this.values.shift();
    }
    this.plot.setData([this.times, this.values]);
  }

  clear(): void {
    this.times.length = 0;
    this.values.length = 0;
    this.plot.setData([[], []]);
  }
}
