// The run loop: faults, interrupts, single steps; then the next block, translated or interpreted.
// Interrupts are taken and the budget is looked at only where interpret() or a region says so
// (LEAVE_CHECK): backward branches, calls, returns, indirect jumps and operations that end blocks,
// so that a run is the same in every tier.
import {
  BLOCK_HASH,
  BLOCK_HASH_ENTRIES,
  BUDGET,
  CHAIN_COUNT,
  CHAIN_ENTRY,
  COUNT_CURRENT,
  SECOND_HASH,
  SECOND_HASH_ENTRIES,
  COUNTERS,
  EFLAGS_SYSTEM,
  EIP,
  EIP_CURRENT,
  FAULT_PENDING,
  FAULT_VECTOR,
  HALTED,
  HOT_ENTRY,
  INHIBIT,
  INSTRUCTIONS,
  INTR,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  MODE,
  NMI,
  PAGE_INFO,
  RECORD_CURRENT,
  SEGMENT_BASE,
  SHADOW,
  SINGLE,
  SLICE,
  STOP,
} from '../shared/layout';
import {
  COUNT_RECORD_FLUSHES,
  COUNT_REGION_ENTRIES,
  COUNT_SINGLES,
  COUNT_TRANSLATED,
} from '../shared/counters';
import { EXIT_BUDGET, EXIT_FLUSHED, EXIT_HALT, EXIT_REQUEST, EXIT_SHUTDOWN } from '../shared/exits';
import { GP, NMI_VECTOR, RESTART_SINGLE, SKIP_REST } from '../shared/faults';
import { IF } from '../shared/flags';
import { EVENT_INTERPRETED, EVENT_TRANSLATED } from '../shared/history';
import { MODE_FLAT, MODE_SINGLE } from '../shared/modes';
import { PAGE_ATTRIBUTES } from '../shared/paging';
import {
  ENTRY_COUNT,
  ENTRY_EIP,
  ENTRY_GENERATION,
  ENTRY_LABEL,
  ENTRY_MISSES,
  ENTRY_PHYSICAL,
  ENTRY_SIZE,
  ENTRY_SLOT,
  ENTRY_TABLES,
  JUMP_EIP,
  JUMP_ENTRY,
  JUMP_EPOCH,
  JUMP_FOLD,
  JUMP_GENERATION,
  JUMP_LABEL,
  JUMP_MODE,
  JUMP_SHIFT,
  JUMP_SLOT,
  JUMP_TABLES,
  MISSES_TOLD,
  REGION_CHECK,
  REGION_HOT,
  REGION_HOT_STEP,
  REGION_MISS,
  REGION_NEXT,
  SHORT_RUN,
} from '../shared/regions';
import {
  HEADER_ENTRY,
  HEADER_HEAT,
  HEADER_MODE,
  HEADER_PHYSICAL,
  HEADER_SECOND,
  RECORD_LENGTH,
} from '../shared/records';
import { debugAfter, debugBefore, debugging } from '../cpu/debug';
import { note } from '../cpu/faults';
import { askForTime } from '../cpu/msr';
import { deliverExternal, deliverPending, shutdown } from '../cpu/interrupts';
import { CS, limitOf } from '../cpu/segments';
import { hasRoom, resetDecoder } from '../decode/decode';
import { interpret } from '../generated/interpret';
import { hashSlot } from '../mem/codepages';
import {
  count,
  countBy,
  generationEpoch,
  generationOf,
  newGeneration,
  translateFetch,
} from '../mem/tlb';
import { calling, settleCall } from '../paravirt/vmcall';
import { countFault, endFaultRun, markInterpreted, noteEntry } from './history';
import { findNext, forgetCalls, heatLimit, LEAVE_CHECK, mustLook, nextPhysical } from './step';

/** The block has been entered often: the translator may make a region of it. */
export declare function blockHot(block: u32): void;
/** More than half of the entries at this descriptor ended in a miss; the last one after hardly an instruction. */
export declare function regionMisses(entry: u32, short: bool): void;
/** INTA: the vector, or -1 when the request has gone. */
export declare function interruptVector(): i32;

/** No MODE. */
const NO_MODE: u32 = 0xffffffff;
/** In place of an entry's descriptor: its count is no one's, its code at no physical address. */
const NO_ENTRY: usize = memory.data(ENTRY_SIZE);
const NOT_INTERPRETING: i32 = i32.MIN_VALUE;
/** Blocks interpreted in the chain at hand, and BUDGET before the one at hand. */
let interpretedBlocks: u32 = 0;
let interpretedFrom: i32 = NOT_INTERPRETING;

/** Interrupts and the budget are looked at before the next block. */
let checking: bool = true;

/** A region left for the interpreter to execute the instruction at EIP. */
let missed: bool = false;

/** The next instruction runs alone. */
let restarting: bool = false;

/** Faults come without end: the budget is looked at after each. */
let checkingAfterFault: bool = false;

/**
 * Puts state in order after a throw: the counts of the half-done block are taken off, EIP is the
 * faulting instruction's. Also the way hot code's noted faults go.
 */
function settleFault(): void {
  store<i32>(BUDGET, load<i32>(BUDGET) - load<i32>(COUNT_CURRENT));
  store<u32>(COUNT_CURRENT, 0);
  const vector = load<u32>(FAULT_VECTOR);
  if (calling) settleCall(vector == RESTART_SINGLE);
  if (vector == RESTART_SINGLE) {
    store<u32>(FAULT_PENDING, 0);
    store<u32>(EIP, load<u32>(EIP_CURRENT));
    // A VMI call made directly: its CALL is counted, and so was its routine's PUSH.
    if (load<u32>(RECORD_CURRENT) == 0) store<i32>(BUDGET, load<i32>(BUDGET) + 2);
    restarting = true;
    return;
  }
  if (vector == SKIP_REST) {
    store<u32>(FAULT_PENDING, 0);
    const length: u32 = load<u8>(load<u32>(RECORD_CURRENT), RECORD_LENGTH);
    store<u32>(EIP, load<u32>(EIP_CURRENT) + length);
    store<i32>(BUDGET, load<i32>(BUDGET) - 1);
    return;
  }
  deliver();
}

/** Delivery touches memory like one instruction: what it writes may be code or MMIO. */
function deliver(): void {
  if (countFault()) checkingAfterFault = true;
  store<u32>(SINGLE, 1);
  deliverPending();
  store<u32>(SINGLE, 0);
}

/** The block at EIP, or 0: a fault is noted or room ran out. */
function lookup(mode: u32): u32 {
  const eip = load<u32>(EIP);
  const linear = eip + load<u32>(SEGMENT_BASE + 4);
  if ((mode & MODE_FLAT) == 0 && eip > limitOf(CS)) {
    store<u32>(EIP_CURRENT, eip);
    note(GP, 0);
    return 0;
  }
  const physical = nextPhysical(linear);
  if (load<u32>(FAULT_PENDING)) return 0;
  const slot = hashSlot(physical, mode);
  const block = load<u32>(slot, 4);
  if (load<u32>(slot) == physical && block && load<u32>(block, HEADER_MODE) == mode) return block;
  return findNext(linear, physical, mode);
}

/** One instruction, alone, with MMIO and writes into code allowed. */
function single(): void {
  if (debugging() && debugBefore()) return;
  const mode = load<u32>(MODE) | MODE_SINGLE;
  const block = lookup(mode);
  if (!block) return;
  noteEntry(EVENT_INTERPRETED, load<u32>(EIP), mode);
  count(COUNT_SINGLES);
  // Mostly for an access to device memory.
  askForTime();
  store<u32>(SINGLE, 1);
  interpret(block, mode);
  store<u32>(SINGLE, 0);
  if (!load<u32>(FAULT_PENDING)) debugAfter();
}

/** Forgets every decoded block. The translator has dropped its regions. */
export function flushBlocks(): void {
  memory.fill(BLOCK_HASH, 0, BLOCK_HASH_ENTRIES * 8);
  memory.fill(SECOND_HASH, 0, SECOND_HASH_ENTRIES * 8);
  for (let word: u32 = PAGE_INFO; word < <u32>(PAGE_INFO + 0x400000); word += 4) {
    const info = load<u32>(word);
    if (info & ~PAGE_ATTRIBUTES) store<u32>(word, info & PAGE_ATTRIBUTES);
  }
  resetDecoder();
  forgetCalls();
  count(COUNT_RECORD_FLUSHES);
  newGeneration();
}

/** Is an interrupt due? Takes it if so. */
function takeInterrupt(): bool {
  if (load<u32>(NMI)) {
    endFaultRun();
    store<u32>(NMI, 0);
    store<u32>(SINGLE, 1);
    deliverExternal(NMI_VECTOR);
    store<u32>(SINGLE, 0);
    return true;
  }
  if (!load<u32>(INTR) || (load<u32>(EFLAGS_SYSTEM) & IF) == 0) return false;
  const vector = interruptVector();
  if (vector < 0) return false;
  endFaultRun();
  store<u32>(SINGLE, 1);
  deliverExternal(vector);
  store<u32>(SINGLE, 0);
  return true;
}

/** Runs until the budget, set by start(), is used up or something is for the host: EXIT_*. */
export function run(): i32 {
  // After a throw this function is entered anew: what was under way is in FAULT_*.
  store<u32>(SINGLE, 0);
  if (load<u32>(CHAIN_COUNT)) endChain();
  while (true) {
    if (shutdown) return EXIT_SHUTDOWN;
    if (load<u32>(FAULT_PENDING)) {
      settleFault();
      // From fault to fault there may be no branch, which is where the budget is looked at otherwise.
      checking = checkingAfterFault || load<i32>(BUDGET) <= 0;
      checkingAfterFault = false;
      continue;
    }
    store<u32>(COUNT_CURRENT, 0);
    // Before an instruction that runs alone too: it is decoded anew.
    if (!hasRoom()) return EXIT_FLUSHED;
    if (restarting) {
      restarting = false;
      single();
      checking = true;
      continue;
    }
    if (checking && load<u32>(SHADOW)) {
      store<u32>(SHADOW, 0);
      checking = false;
    }
    if (checking) {
      checking = false;
      if (load<u32>(INHIBIT)) {
        single1();
        checking = true;
        continue;
      }
      if (load<u32>(HALTED)) {
        if (!load<u32>(NMI) && (!load<u32>(INTR) || (load<u32>(EFLAGS_SYSTEM) & IF) == 0)) {
          return EXIT_HALT;
        }
        store<u32>(HALTED, 0);
      }
      if (load<i32>(BUDGET) <= 0) return EXIT_BUDGET;
      if (load<u32>(STOP)) return EXIT_REQUEST;
      if (takeInterrupt()) continue;
    }
    if (debugging()) {
      single();
      checking = true;
      continue;
    }
    const mode = load<u32>(MODE);
    const eip = load<u32>(EIP);
    const cached = jumpCache(eip);
    if (!missed && isKnown(cached, eip, mode)) {
      const result = chain(cached, eip, mode);
      checking = result == REGION_CHECK;
      missed = result == REGION_MISS;
      continue;
    }
    const block = lookup(mode);
    if (!block) continue;
    let entry = load<u32>(block, HEADER_ENTRY);
    // What is only ever entered from here, after a region has left, must get hot as well.
    const heat = load<u32>(block, HEADER_HEAT);
    if (!entry && !missed) store<u32>(block, heat + 1, HEADER_HEAT);
    if (!entry && heat >= heatLimit) {
      // It asks again after as many entries once more, and stays warm for regions around it.
      store<u32>(block, heatLimit >>> 1, HEADER_HEAT);
      blockHot(block);
      entry = load<u32>(block, HEADER_ENTRY);
    }
    if (entry && !missed && load<u32>(entry, ENTRY_EIP) == eip) {
      remember(cached, eip, mode, entry);
      const result = chain(cached, eip, mode);
      checking = result == REGION_CHECK;
      missed = result == REGION_MISS;
      continue;
    }
    if (!entry && !missed) rememberBlock(cached, eip, mode, block);
    missed = false;
    noteEntry(EVENT_INTERPRETED, eip, mode);
    checking = interpret(block, mode) == LEAVE_CHECK;
  }
}

/** The instruction in the shadow of STI, MOV SS or POP SS. */
function single1(): void {
  const inhibit = load<u32>(INHIBIT);
  single();
  // The instruction itself may have set it anew (POP SS after MOV SS): that one counts.
  if (load<u32>(INHIBIT) == inhibit) store<u32>(INHIBIT, 0);
}

/** BUDGET when chain() began; a throw leaves what was run since to be counted. */
let chainStart: i32 = 0;

/**
 * Runs a translated region, and those that follow as long as the jump cache knows them and nothing
 * else is to be looked at: REGION_* of the last. A shell loop enters a region every 60 instructions,
 * mostly for a call or return between two of them. Where the engine has tail calls, a region goes on
 * to most of the others by itself (jit/chain.ts), and what is here does the rest.
 */
function chain(cached: usize, eip: u32, mode: u32): i32 {
  chainStart = load<i32>(BUDGET);
  let result: i32;
  while (true) {
    noteEntry(EVENT_TRANSLATED, eip, mode);
    const entry = load<u32>(cached, JUMP_ENTRY);
    store<u32>(CHAIN_ENTRY, entry);
    store<u32>(CHAIN_COUNT, load<u32>(CHAIN_COUNT) + 1);
    const entries = load<u32>(entry, ENTRY_COUNT) + 1;
    store<u32>(entry, entries, ENTRY_COUNT);
    if (entries % REGION_HOT_STEP == 0 && entries >= <u32>REGION_HOT) store<u32>(HOT_ENTRY, entry);
    result = call_indirect<i32>(
      load<u32>(cached, JUMP_SLOT),
      load<u32>(cached, JUMP_LABEL),
      load<u32>(cached, JUMP_TABLES),
    );
    if (result == REGION_MISS) {
      countMiss(load<u32>(CHAIN_ENTRY));
      break;
    }
    if (result == REGION_CHECK && somethingToDo()) break;
    mode = load<u32>(MODE);
    eip = load<u32>(EIP);
    cached = jumpCache(eip);
    if (!isKnown(cached, eip, mode)) break;
  }
  endChain();
  return result;
}

/** Is this the place of the entry at EIP, mapped as it was? */
function isKnown(cached: usize, eip: u32, mode: u32): bool {
  if (load<u32>(cached, JUMP_EIP) != eip || load<u32>(cached, JUMP_MODE) != mode) return false;
  const generation = generationOf(mode);
  if (load<u32>(cached, JUMP_GENERATION) == generation) return true;
  // Another address space, in which the kernel is mapped alike: a switch makes nothing else stale.
  if (load<u32>(cached, JUMP_EPOCH) != generationEpoch) return false;
  const physical = translateFetch(eip);
  if (load<u32>(FAULT_PENDING)) {
    store<u32>(FAULT_PENDING, 0);
    return false;
  }
  const entry = load<u32>(cached, JUMP_ENTRY);
  if (entry == <u32>NO_ENTRY) {
    if (physical != load<u32>(load<u32>(cached, JUMP_LABEL), HEADER_PHYSICAL)) return false;
    store<u32>(cached, generation, JUMP_GENERATION);
    return true;
  }
  if (physical != load<u32>(entry, ENTRY_PHYSICAL)) return false;
  confirm(cached, generation);
  return true;
}

/** Notes an entry in the jump cache. */
function remember(cached: usize, eip: u32, mode: u32, entry: u32): void {
  store<u32>(cached, eip, JUMP_EIP);
  store<u32>(cached, mode, JUMP_MODE);
  store<u32>(cached, entry, JUMP_ENTRY);
  store<u32>(cached, generationEpoch, JUMP_EPOCH);
  store<u32>(cached, load<u32>(entry, ENTRY_SLOT), JUMP_SLOT);
  store<u32>(cached, load<u32>(entry, ENTRY_LABEL), JUMP_LABEL);
  store<u32>(cached, load<u32>(entry, ENTRY_TABLES), JUMP_TABLES);
  confirm(cached, generationOf(mode));
}

/**
 * Notes an untranslated block in the jump cache, so that regions go on to it as to each other: half of
 * the blocks that a region of seldom code leaves to are such, and finding each by BLOCK_HASH was a tenth of
 * the time of forks. Not where EIP is no linear address or the code is in two pages.
 */
function rememberBlock(cached: usize, eip: u32, mode: u32, block: u32): void {
  if ((mode & MODE_FLAT) == 0 || load<u32>(block, HEADER_SECOND)) return;
  store<u32>(cached, eip, JUMP_EIP);
  store<u32>(cached, mode, JUMP_MODE);
  store<u32>(cached, <u32>NO_ENTRY, JUMP_ENTRY);
  store<u32>(cached, interpretKnown.index, JUMP_SLOT);
  store<u32>(cached, generationEpoch, JUMP_EPOCH);
  store<u32>(cached, block, JUMP_LABEL);
  store<u32>(cached, generationOf(mode), JUMP_GENERATION);
}

/** What the jump cache calls for an untranslated block, like a region: REGION_NEXT or REGION_CHECK. */
function interpretKnown(block: u32, _tables: u32): i32 {
  const mode = load<u32>(MODE);
  const heat = load<u32>(block, HEADER_HEAT) + 1;
  // Written or translated since, or hot: the run loop knows what to do.
  if (load<u32>(block, HEADER_MODE) != mode || heat > heatLimit) {
    store<u32>(jumpCache(load<u32>(EIP)), NO_MODE, JUMP_MODE);
    return REGION_NEXT;
  }
  store<u32>(block, heat, HEADER_HEAT);
  markInterpreted();
  interpretedBlocks++;
  interpretedFrom = load<i32>(BUDGET);
  const left = interpret(block, mode);
  endInterpreted();
  return left == LEAVE_CHECK || load<u32>(FAULT_PENDING) ? REGION_CHECK : REGION_NEXT;
}

/** Takes what interpretKnown() has run, or began to before a throw, out of the chain's books. */
function endInterpreted(): void {
  if (interpretedFrom == NOT_INTERPRETING) return;
  chainStart -= interpretedFrom - load<i32>(BUDGET);
  interpretedFrom = NOT_INTERPRETING;
}

/** The entry's page is mapped as it was, under this generation: for the chain and for the region. */
function confirm(cached: usize, generation: u32): void {
  store<u32>(cached, generation, JUMP_GENERATION);
  store<u32>(load<u32>(load<u32>(cached, JUMP_ENTRY), ENTRY_GENERATION), generation);
}

/** A region that hardly gets anywhere from this entry had better be another: the translator decides. */
function countMiss(entry: u32): void {
  const misses = load<u32>(entry, ENTRY_MISSES) + 1;
  store<u32>(entry, misses, ENTRY_MISSES);
  if (misses % MISSES_TOLD != 0 || misses <= load<u32>(entry, ENTRY_COUNT) >>> 1) return;
  const retired: u32 = chainStart - load<i32>(BUDGET);
  regionMisses(entry, retired < load<u32>(CHAIN_COUNT) * SHORT_RUN);
}

function endChain(): void {
  endInterpreted();
  countBy(COUNT_REGION_ENTRIES, load<u32>(CHAIN_COUNT) - interpretedBlocks);
  interpretedBlocks = 0;
  store<u32>(CHAIN_COUNT, 0);
  const counter: usize = COUNTERS + (COUNT_TRANSLATED << 2);
  store<u64>(counter, load<u64>(counter) + <u64>(chainStart - load<i32>(BUDGET)));
}

/** At a place where interrupts and the budget are looked at: must the run loop do it? */
function somethingToDo(): bool {
  return (
    load<i32>(BUDGET) <= 0 || (load<u32>(FAULT_PENDING) | load<u32>(SHADOW)) != 0 || mustLook()
  );
}

function jumpCache(eip: u32): usize {
  return JUMP_CACHE + (((eip ^ (eip >>> JUMP_FOLD)) & (JUMP_CACHE_ENTRIES - 1)) << JUMP_SHIFT);
}

/** Begins a slice of `budget` instructions. */
export function start(budget: i32): void {
  store<u64>(INSTRUCTIONS, load<u64>(INSTRUCTIONS) + <u64>(load<i32>(SLICE) - load<i32>(BUDGET)));
  store<i32>(SLICE, budget);
  store<i32>(BUDGET, budget);
  store<u32>(STOP, 0);
  checking = true;
}
