// What host/cli/engine.ts takes for granted: without checks of the stack, the core must need none.

import wabtFactory from 'wabt';
import { beforeAll, expect, it } from 'vitest';
import { coreBytes } from '../lib/tiers.ts';

/** What each function of the core calls, by number. */
const calls = new Map<number, number[]>();
/** Those that call whatever a table holds: regions. */
const indirect: number[] = [];
const exported = new Map<number, string>();

beforeAll(async () => {
  const wabt = await wabtFactory();
  const text = wabt.readWasm(coreBytes(), { readDebugNames: false }).toText({});
  let called: number[] = [];
  let at = -1;
  for (const line of text.split('\n')) {
    const words = line.trim().replaceAll(/[()]/g, ' ').trim().split(/\s+/);
    if (/^ {2}\(func /.test(line)) {
      at = parseInt(words[1]!.slice(1));
      calls.set(at, (called = []));
    } else if (/^ {2}\(export .*\(func /.test(line)) exported.set(+words[3]!, words[1]!);
    else if (words[0] === 'call') called.push(+words[1]!);
    else if (words[0] === 'call_indirect') indirect.push(at);
  }
});

it('reads every function of the core', () => {
  expect(calls.size).toBeGreaterThan(500);
  expect(exported.size).toBeGreaterThan(100);
  for (const [, called] of calls) for (const other of called) expect(other).not.toBeNaN();
});

it('has a core whose functions call nothing in circles', () => {
  const done = new Set<number>();
  const circles: number[][] = [];
  const visit = (at: number, way: number[]): void => {
    if (way.includes(at)) circles.push([...way.slice(way.indexOf(at)), at]);
    if (done.has(at)) return;
    done.add(at);
    for (const other of calls.get(at) ?? []) visit(other, [...way, at]);
  };
  for (const at of calls.keys()) visit(at, []);
  expect(circles).toEqual([]);
});

it('enters regions from the run loop alone, which nothing in the core calls', () => {
  const callersOf = (those: number[]): number[] =>
    [...calls].filter(([, called]) => called.some((at) => those.includes(at))).map(([at]) => at);
  const callers = callersOf(indirect);
  expect(callers.map((at) => exported.get(at))).toEqual(['"run"']);
  expect(callersOf(callers)).toEqual([]);
});
