/**
 * Adds branch hints to a module that a compiler has written, which had no word for them: an arm of an
 * `if` that goes a slow way is hardly ever taken. A slow way is known by its ending: it calls, and then
 * tests a certain word of memory. What is called so is slow wherever else it is called.
 */
import { Encoder } from './encoder.ts';
import { InstructionWalk } from './instructions.ts';
import { BRANCH_HINTS } from './module.ts';
import * as O from './opcodes.ts';
import { Cursor, readModule, type FunctionBody } from './reader.ts';

const UNLIKELY = 0;
const LIKELY = 1;

interface Arm {
  calls: number[];
  /** It tests the word. */
  tests: boolean;
}

/** An `if`, and what its arms do outside of nested ones. */
interface Fork {
  at: number;
  arms: [Arm, Arm];
  second: boolean;
}

interface Found {
  forks: Fork[];
  /** Branches if the word is not zero. */
  tests: number[];
}

/** The module with hints, given the address of the word that is tested after each slow call. */
export function hintSlowWays(bytes: Uint8Array, word: number): Uint8Array {
  const module = readModule(bytes);
  const found = module.bodies.map((body) => walk(bytes, body, word));
  const slow = new Set<number>();
  for (const { forks } of found) {
    for (const { arms } of forks) {
      for (const { calls, tests } of arms) if (tests && calls.length === 1) slow.add(calls[0]!);
    }
  }
  const isSlow = ({ calls }: Arm) => calls.some((index) => slow.has(index));
  const section = new Encoder();
  const hinted = module.bodies.flatMap((body, i) => {
    const { forks, tests } = found[i]!;
    const hints = tests.map((at) => ({ at, hint: UNLIKELY }));
    for (const { at, arms } of forks) {
      const [first, second] = arms.map(isSlow);
      if (first !== second) hints.push({ at, hint: first ? UNLIKELY : LIKELY });
    }
    hints.sort((a, b) => a.at - b.at);
    return hints.length ? [{ body, hints }] : [];
  });
  string(section, BRANCH_HINTS);
  section.u32(hinted.length);
  for (const { body, hints } of hinted) {
    section.u32(body.index);
    section.u32(hints.length);
    for (const { at, hint } of hints) {
      section.u32(at - body.declared);
      section.u32(1);
      section.byte(hint);
    }
  }
  const size = new Encoder();
  size.u32(section.length);
  // In front of the code, as the engine wants it.
  const at = codeSection(bytes);
  return Uint8Array.from([
    ...bytes.subarray(0, at),
    O.SECTION_CUSTOM,
    ...size.bytes.subarray(0, size.length),
    ...section.bytes.subarray(0, section.length),
    ...bytes.subarray(at),
  ]);
}

function string(e: Encoder, text: string): void {
  e.u32(text.length);
  for (const character of text) e.byte(character.charCodeAt(0));
}

function codeSection(bytes: Uint8Array): number {
  const c = new Cursor(bytes, 8);
  for (;;) {
    const at = c.at;
    const id = c.byte();
    if (id === O.SECTION_CODE) return at;
    const size = c.u32();
    c.at += size;
  }
}

function walk(bytes: Uint8Array, body: FunctionBody, word: number): Found {
  const walk = new InstructionWalk(bytes, body.start, body.end);
  const found: Found = { forks: [], tests: [] };
  // What is open: an `if`, or null for a block or loop, whose calls are those of what it is in.
  const open: (Fork | null)[] = [];
  const arm = (): Arm | undefined => {
    const fork = open.findLast((one) => one !== null);
    return fork?.arms[fork.second ? 1 : 0];
  };
  // The last instructions: the word's address, a load of it.
  let address = false;
  let loaded = false;
  while (walk.next()) {
    const { opcode, start } = walk;
    const wasAddress = address;
    const wasLoaded = loaded;
    address = loaded = false;
    if (opcode === O.I32_CONST) {
      address = new Cursor(bytes, walk.immediateAt).s32() === word;
    } else if (opcode === O.I32_LOAD) loaded = wasAddress;
    else if (opcode === O.CALL) arm()?.calls.push(walk.immediate);
    else if (opcode === O.BLOCK || opcode === O.LOOP) open.push(null);
    else if (opcode === O.BR_IF && wasLoaded) {
      found.tests.push(start);
      const here = arm();
      if (here) here.tests = true;
    } else if (opcode === O.IF) {
      const here = arm();
      const arms: [Arm, Arm] = [
        { calls: [], tests: false },
        { calls: [], tests: false },
      ];
      if (wasLoaded) {
        found.tests.push(start);
        if (here) here.tests = true;
        open.push({ at: -1, arms, second: false });
      } else {
        const fork = { at: start, arms, second: false };
        found.forks.push(fork);
        open.push(fork);
      }
    } else if (opcode === O.ELSE) open.at(-1)!.second = true;
    else if (opcode === O.END) open.pop();
  }
  return found;
}
