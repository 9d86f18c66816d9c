// Runs the rows of a whole system: boots it on every engine and types the same commands at each. Like
// the micro-benchmarks (micro.ts), each row on all engines in turn, so that what is compared was
// measured within seconds of each other.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, Image } from './engines';
import { SECOND_BOOT, type Row } from './rows';
import { now, type Session } from './session';

const BOOT_LIMIT = 600;
const ROW_LIMIT = 600;

/** A guest whose boot is a row, and commands at its prompt. */
export interface System {
  section: string;
  image: Image;
  ready: RegExp;
  boot: string;
  /** Typed first, untimed. */
  prepare: string;
  rows: Row[];
  withBoot: boolean;
  withSecondBoot: boolean;
  /** Whether a machine that has run the rows is asked what it cost. */
  withUpkeep: boolean;
}

export interface SystemListener {
  /** `output` is what the row printed last. */
  result(
    row: string,
    engine: Engine,
    figures: { seconds: number; instructions?: number | undefined; output?: string },
  ): void;
  /** All rows have run; what the session has cost is about to be asked for. */
  finished(engine: Engine, session: Session): Promise<void>;
  /** The engine is left out from here on. */
  problem(engine: Engine, error: Error): void;
}

/** One boot of each engine, and one run of each row. */
export async function runSystem(
  engines: Engine[],
  system: System,
  listener: SystemListener,
): Promise<void> {
  const able = engines.filter((engine) => engine.boot);
  const quiet = able.filter((engine) => !engine.restless);
  await together(quiet, system, listener);
  for (const engine of able) if (engine.restless) await together([engine], system, listener);
}

async function together(
  engines: Engine[],
  system: System,
  listener: SystemListener,
): Promise<void> {
  const sessions = new Map<Engine, Session>();
  const failed = new Set<Engine>();
  /** In turn, on the engines that have not failed. */
  const onEach = async (work: (engine: Engine) => Promise<void>): Promise<void> => {
    for (const engine of engines) {
      if (failed.has(engine)) continue;
      try {
        await work(engine);
      } catch (error) {
        failed.add(engine);
        listener.problem(engine, error instanceof Error ? error : new Error(String(error)));
        await close(sessions, engine);
      }
    }
  };
  try {
    if (system.rows.length || system.withBoot) {
      await onEach(async (engine) => {
        const session = engine.boot!(system.image);
        sessions.set(engine, session);
        await boot(engine, session, system, listener);
      });
      for (const row of system.rows) {
        await onEach((engine) => runRow(engine, sessions.get(engine)!, row, listener));
      }
      // The others would be seen by who waits at its prompt.
      for (const engine of engines) {
        if (!(system.withUpkeep && engine.upkeep)) await close(sessions, engine);
      }
      await onEach(async (engine) => {
        const session = sessions.get(engine);
        if (session) await listener.finished(engine, session);
      });
    }
  } finally {
    for (const engine of engines) await close(sessions, engine);
  }
  if (!system.withSecondBoot) return;
  await onEach(async (engine) => {
    if (!engine.bootSaving) return;
    const seconds = await secondBoot(engine.bootSaving, system.ready);
    listener.result(SECOND_BOOT, engine, { seconds });
  });
}

async function close(sessions: Map<Engine, Session>, engine: Engine): Promise<void> {
  const session = sessions.get(engine);
  sessions.delete(engine);
  await session?.close();
}

async function boot(
  engine: Engine,
  session: Session,
  system: System,
  listener: SystemListener,
): Promise<void> {
  if (engine.computesOnly) {
    session.type('cd "$TMPDIR"\n');
  } else {
    const { at } = await session.waitFor(system.ready, BOOT_LIMIT);
    const instructions = await engine.instructions?.(session);
    if (system.withBoot)
      listener.result(system.boot, engine, { seconds: at - session.started, instructions });
  }
  if (!system.rows.length) return;
  const prepare = engine.computesOnly
    ? system.prepare.replace('cd /tmp; ', '')
    : `BIN=/bin; ${system.prepare}`;
  await type(session, prepare);
}

async function runRow(
  engine: Engine,
  session: Session,
  row: Row,
  listener: SystemListener,
): Promise<void> {
  const before = await engine.instructions?.(session);
  await type(session, `r() { ${row.command}; }`);
  await sleep(50); // the prompt after it
  const timed = await run(session, 't');
  const after = await engine.instructions?.(session);
  const instructions = before !== undefined && after !== undefined ? after - before : undefined;
  listener.result(row.name, engine, { ...timed, instructions });
}

/** Boots twice; the first leaves its translations to the second, whose seconds it gives. */
async function secondBoot(bootSaving: () => Session, ready: RegExp): Promise<number> {
  const boot = async (after: (session: Session) => Promise<void>): Promise<number> => {
    const session = bootSaving();
    try {
      const { at } = await session.waitFor(ready, BOOT_LIMIT);
      await after(session);
      return at - session.started;
    } finally {
      await session.close();
    }
  };
  // It saves as it ends.
  await boot((session) => session.finish('SIGTERM'));
  return boot(async () => {});
}

let serial = 0;

/** The text, untimed, with a marker behind it that does not occur in what the terminal echoes. */
async function type(session: Session, text: string): Promise<void> {
  const number = ++serial;
  session.type(`${text}; echo; echo done-$((${number}))-\n`);
  await session.waitFor(marker(number), ROW_LIMIT);
}

/** A word that ends with the marker, and is given its number. */
async function run(session: Session, word: string): Promise<{ seconds: number; output: string }> {
  const number = ++serial;
  const typed = now();
  session.type(`${word} ${number}\n`);
  const match = await session.waitFor(marker(number), ROW_LIMIT);
  const lines = match.text.replaceAll('\r', '').trim().split('\n');
  // Before the marker: an empty line, and before that the last line that the command printed.
  const output = lines.slice(0, -1).findLast((line) => line.trim());
  return { seconds: match.at - typed, output: output ?? '' };
}

function marker(number: number): RegExp {
  return new RegExp(`\\ndone-${number}-\\r?\\n`);
}
