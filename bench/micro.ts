// Runs the micro-benchmarks: the guest in bench/guests/ waits for "NAME COUNT" on its serial line
// and prints a mark when the row starts and one with a checksum when it is over. All engines' guests
// are there at the same time, asleep but for the one whose turn it is, so that what is compared was
// measured within seconds of each other.

import type { Engine } from './engines';
import { isComputing, type MicroRow } from './micro-rows';
import type { Session } from './session';

const START_LIMIT = 60;
const ROW_LIMIT = 120;

export interface MicroResult {
  seconds: number;
  /** The better of two more right after, where the engine is one that warms up. */
  again?: number;
  /** Guest instructions of one run. */
  instructions?: number;
  /** What the work came to, in hexadecimal. */
  checksum: string;
}

export interface Listener {
  /** Whether to leave a row out on an engine. */
  skip(row: MicroRow, engine: Engine): boolean;
  result(row: MicroRow, engine: Engine, result: MicroResult): void;
  problem(row: MicroRow, engine: Engine, error: Error): void;
}

/** One run of each row on each engine, in turn. */
export async function runMicro(
  engines: Engine[],
  rows: MicroRow[],
  listener: Listener,
): Promise<void> {
  const sessions = new Map<Engine, Session>();
  try {
    for (const row of rows) {
      for (const engine of engines) {
        if (engine.computesOnly && !isComputing(row)) continue;
        if (listener.skip(row, engine)) continue;
        try {
          let session = sessions.get(engine);
          if (!session) {
            sessions.set(engine, (session = engine.micro()));
            await session.waitFor(/READY\r?\n/, START_LIMIT);
          }
          listener.result(row, engine, await runRow(engine, session, row));
        } catch (error) {
          // The rest of the rows with a new guest.
          await sessions.get(engine)?.close();
          sessions.delete(engine);
          listener.problem(row, engine, error instanceof Error ? error : new Error(String(error)));
        }
      }
    }
  } finally {
    for (const session of sessions.values()) await session.close();
  }
}

async function runRow(engine: Engine, session: Session, row: MicroRow): Promise<MicroResult> {
  const before = await engine.instructions?.(session);
  const { seconds, checksum } = await once(session, row);
  const after = await engine.instructions?.(session);
  const counted = before !== undefined && after !== undefined;
  const again: number[] = [];
  while (engine.warmsUp && again.length < 2) {
    const next = await once(session, row);
    again.push(next.seconds);
    if (next.checksum !== checksum)
      throw new Error(`${row.name}: ${checksum} the first time, then ${next.checksum}`);
  }
  return {
    seconds,
    checksum,
    ...(again.length && { again: Math.min(...again) }),
    ...(counted && { instructions: after - before }),
  };
}

async function once(
  session: Session,
  row: MicroRow,
): Promise<{ seconds: number; checksum: string }> {
  session.type(`${row.word} ${row.count}\n`);
  const start = await session.waitFor(/S\r?\n|\?\r?\n/, START_LIMIT);
  if (start.text.includes('?')) throw new Error(`the guest does not know ${row.word}`);
  const end = await session.waitFor(/D ([0-9a-f]{8})\r?\n/, ROW_LIMIT);
  return { seconds: end.at - start.at, checksum: /D (\w+)/.exec(end.text)![1]! };
}
