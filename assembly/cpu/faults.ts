// Raising guest exceptions. A fault is data (FAULT_*) plus an unwinding: the import `fault` throws
// an object the host preallocated, host/cpu.ts catches it and calls run() again, which delivers.
// What is not here: delivery (interrupts.ts), and the interpreter's hot path, which sees
// FAULT_PENDING after a slow access and returns instead of throwing.
import { FAULT_ADDRESS, FAULT_CODE, FAULT_PENDING, FAULT_VECTOR } from '../shared/layout';
import {
  GP,
  NM,
  NP,
  PF_VECTOR,
  RESTART_SINGLE,
  SKIP_REST,
  SS_VECTOR,
  TS,
  UD,
} from '../shared/faults';

// @ts-ignore: decorator-free import declaration, module name is the file's
export declare function fault(): void;

/** Notes a fault without unwinding; the caller returns to the run loop by itself. */
export function note(vector: u32, code: u32): void {
  store<u32>(FAULT_PENDING, 1);
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_CODE, code);
}

/** Raises an exception at the instruction in EIP_CURRENT. Does not return. */
export function raise(vector: u32, code: u32): void {
  note(vector, code);
  fault();
}

export function raiseUD(): void {
  raise(UD, 0);
}

export function raiseNM(): void {
  raise(NM, 0);
}

export function raiseGP(code: u32): void {
  raise(GP, code);
}

export function raiseNP(code: u32): void {
  raise(NP, code);
}

export function raiseSS(code: u32): void {
  raise(SS_VECTOR, code);
}

export function raiseTS(code: u32): void {
  raise(TS, code);
}

/** #PF notes the address; CR2 is written at delivery. */
export function notePageFault(linear: u32, code: u32): void {
  note(PF_VECTOR, code);
  store<u32>(FAULT_ADDRESS, linear);
}

/** The instruction must run again, alone, with SINGLE set (records.ts, MODE_SINGLE). */
export function noteRestart(): void {
  note(RESTART_SINGLE, 0);
}

/** The instruction is complete; what is left of it is not done. Does not return. */
export function skipRest(): void {
  raise(SKIP_REST, 0);
}
