// TLB entries kept across SetCR3: what the guest sees is what it sees without, whatever it changes
// in the meantime.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  COUNT_SPACE_ENTRIES,
  COUNT_SPACE_RETURNS,
  COUNT_TLB_FILLS,
} from '../../assembly/shared/counters.ts';
import { Random } from '../native/random.ts';
import { Changes } from './changes.ts';
import { STACK, type Guest, type Paging } from './guest.ts';
import { SEED } from '../lib/seed.ts';
import { COUNT } from './count.ts';
import {
  AREA,
  LINK,
  load,
  LOG,
  LOG_LIMIT,
  POOL,
  SHARED,
  Spaces,
  type Operation,
  type Space,
} from './spaces.ts';
import { guestOf } from './tiers.ts';

const TIERS = ['interpreted', 'translated, the call made directly'] as const;
type Tier = (typeof TIERS)[number];
const PAGINGS: Paging[] = ['32-bit', 'PAE'];
const SPACES = 12;
const OPERATIONS = 700;
const PROGRAMS = COUNT ?? 6;

interface Left {
  log: Uint8Array;
  memory: Uint8Array;
  retired: number;
  returns: number;
  kept: number;
  fills: number;
}

function run(guest: Guest, spaces: Spaces, operations: readonly Operation[]): Left {
  load(guest, spaces, operations);
  const { cpu } = guest.machine;
  const counters = cpu.counters();
  const before = {
    retired: cpu.retired(),
    returns: counters[COUNT_SPACE_RETURNS]!,
    kept: counters[COUNT_SPACE_ENTRIES]!,
    fills: counters[COUNT_TLB_FILLS]!,
  };
  const ending = guest.go();
  expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
  const ram = cpu.ram();
  ram.fill(0, STACK - 0x80, STACK);
  return {
    log: ram.slice(LOG, LOG_LIMIT),
    memory: ram,
    retired: cpu.retired() - before.retired,
    returns: counters[COUNT_SPACE_RETURNS]! - before.returns,
    kept: counters[COUNT_SPACE_ENTRIES]! - before.kept,
    fills: counters[COUNT_TLB_FILLS]! - before.fills,
  };
}

function difference(a: Uint8Array, b: Uint8Array): string {
  if (Buffer.compare(a, b) === 0) return '';
  const at = a.findIndex((byte, i) => byte !== b[i]) & ~3;
  const word = (ram: Uint8Array) =>
    Buffer.from(ram.subarray(at, at + 4))
      .readUInt32LE()
      .toString(16);
  return `at ${at.toString(16)}: ${word(a)}, not ${word(b)}`;
}

describe.each(PAGINGS)('%s paging', (paging) => {
  const guests = {} as Record<Tier, Record<'kept' | 'dropped', Guest>>;
  beforeAll(async () => {
    for (const tier of TIERS) {
      guests[tier] = {
        kept: await guestOf(tier, { paging }),
        dropped: await guestOf(tier, { paging, keepSpaces: false }),
      };
    }
  });
  afterAll(() => {
    for (const tier of TIERS) delete (guests as Partial<typeof guests>)[tier];
  });

  /** In each tier: the same with and without; and the same in all. */
  const compare = (spaces: Spaces, operations: readonly Operation[]): Left => {
    let last: Left | undefined;
    for (const tier of TIERS) {
      const kept = run(guests[tier].kept, spaces, operations);
      const dropped = run(guests[tier].dropped, spaces, operations);
      expect(difference(kept.memory, dropped.memory)).toBe('');
      expect(kept.retired).toBe(dropped.retired);
      expect(dropped.returns).toBe(0);
      if (last) {
        expect(difference(kept.log, last.log)).toBe('');
        expect(kept.retired).toBe(last.retired);
      }
      last = { ...kept, fills: dropped.fills - kept.fills };
    }
    return last!;
  };

  const start = (spaces: Spaces, operations: Operation[] = []): Operation[] => {
    spaces.start();
    return operations;
  };

  describe.each([
    ['announced', true],
    ['not announced, by a kernel that knows no VMI', false],
  ])(`changes at random, %s: VMI86_SEED=${SEED}`, (_, announced) => {
    test.each([...new Array(PROGRAMS).keys()])('program %i', (number) => {
      const guest = guests.interpreted.kept;
      // The tables of the kernel are the same every time.
      guest.load(() => {});
      const spaces = new Spaces(paging, SPACES);
      const random = new Random(SEED, `spaces ${paging} ${number}`);
      const changes = new Changes(random, spaces, spaces.kernelPart(guest), paging, announced);
      const entries = new Map<number, number>();
      for (let i = 0; i < 4; i++) {
        const address = SHARED + 0x1000 * i;
        entries.set(address, guest.entryOf(address));
      }
      changes.sharedEntry = (address) => entries.get(address)!;
      const { returns, kept } = compare(spaces, changes.make(OPERATIONS));
      expect(returns).toBeGreaterThan(20);
      expect(kept).toBeGreaterThan(20);
    });
  });

  test('entries come back: the second time nothing is walked', () => {
    const spaces = new Spaces(paging, 4);
    const operations = start(spaces);
    for (let round = 0; round < 20; round++) {
      for (const space of spaces.all) {
        operations.push(['switchTo', space.root]);
        for (let p = 0; p < 6; p++) operations.push(['read', spaces.address(0, p)]);
      }
    }
    const { returns, fills } = compare(spaces, operations);
    expect(returns).toBe(4 * 19);
    // Six pages a visit are not filled again.
    expect(fills).toBeGreaterThanOrEqual(4 * 19 * 6);
  });

  test('an entry that is dropped leaves the others, and what is new since, as they are', () => {
    const saved = (last: readonly number[]): number => {
      const spaces = new Spaces(paging, 2);
      const [a, b] = spaces.all as [Space, Space];
      const operations = start(spaces);
      const visit = ({ root }: Space, pages: readonly number[]) => {
        operations.push(['switchTo', root]);
        for (const p of pages) operations.push(['read', spaces.address(0, p)]);
      };
      visit(a, [0, 1, 2, 3, 4, 5]);
      visit(b, [0]);
      visit(a, []);
      for (const p of [1, 4]) operations.push(['invalidate', spaces.address(0, p)]);
      for (const p of [6, 7, 4]) operations.push(['read', spaces.address(0, p)]);
      visit(b, [0]);
      visit(a, last);
      visit(b, []);
      return compare(spaces, operations).fills;
    };
    const last = [0, 2, 3, 4, 5, 6, 7];
    // Against one that reads once, so that what reading itself needs counts in neither.
    expect(saved(last) - saved([0])).toBe(last.length - 1);
  });

  test.each([8, 9, 20])('%i spaces in turn', (count) => {
    const spaces = new Spaces(paging, count);
    const operations = start(spaces);
    for (let round = 0; round < 6; round++) {
      for (const space of spaces.all) {
        operations.push(['switchTo', space.root], ['read', spaces.address(1, 2)]);
      }
    }
    const { returns } = compare(spaces, operations);
    if (count === 8) expect(returns).toBe(8 * 5);
  });

  test('more entries than are kept', () => {
    const spaces = new Spaces(paging, 2);
    const operations = start(spaces);
    const [a, b] = spaces.all as [Space, Space];
    // As many tables as it takes, of pages that are all there.
    const tables = 5;
    for (let t = 3; t < 3 + tables; t++) {
      const table = spaces.take();
      operations.push(['allocate', table >>> 12, 0, 0x41]);
      const pages = spaces.pae ? 512 : 1024;
      for (let p = 0; p < pages; p++) {
        operations.push(['store', (POOL + 0x1000 * (p % 64)) | LINK, spaces.entry(table, p)]);
      }
      for (const space of [a, b]) {
        operations.push([
          spaces.pae ? 'setLong' : 'set',
          table | LINK,
          spaces.directoryEntry(space, t),
          2,
        ]);
      }
    }
    const from = AREA + 3 * spaces.span;
    for (let round = 0; round < 4; round++) {
      for (const space of [a, b]) {
        operations.push(['switchTo', space.root], ['touch', from, 2000], ['run', from]);
        operations.push(['touch', from + 0x100000, 300]);
      }
    }
    const { kept } = compare(spaces, operations);
    expect(kept).toBeGreaterThan(1000 * 3);
  });

  test('a page that becomes code while its space is away is written with effect', () => {
    const spaces = new Spaces(paging, 2);
    const [a, b] = spaces.all as [Space, Space];
    const operations = start(spaces);
    const page = POOL + 0x1000 * 60;
    const address = spaces.address(0, 0);
    const entries = [a, b].map(({ tables }) => spaces.entry(tables[0]!, 0));
    for (const at of entries) operations.push([spaces.pae ? 'setLong' : 'set', page | LINK, at, 1]);
    // A writes, and so has a writable entry; B runs the page; A writes again; B runs it again.
    operations.push(['switchTo', a.root], ['write', address, 1]);
    for (let round = 0; round < 5; round++) {
      operations.push(['switchTo', b.root]);
      for (let i = 0; i < 5; i++) operations.push(['run', address]);
      operations.push(['switchTo', a.root]);
      // mov eax, 1110h + round, written through A's mapping: `write` is at +200h
      operations.push(['write', address - 0x200 + 1, 0xc3001110 + round], ['read', address]);
    }
    const { log } = compare(spaces, operations);
    const words = new Uint32Array(log.buffer, log.byteOffset, 5 * 6);
    expect(words[0]).toBe(0x1000 + 60);
    for (let round = 1; round < 5; round++)
      expect(words[round * 6]! & 0xffff).toBe(0x1110 + round - 1);
  });
});
