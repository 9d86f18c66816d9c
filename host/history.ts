/**
 * What the processor did last, out of the core's ring (assembly/shared/history.ts), as objects and as
 * text. Changes nothing.
 */
import {
  EVENT_ADDRESS,
  EVENT_BASE,
  EVENT_BRANCH,
  EVENT_CODE,
  EVENT_CS,
  EVENT_DOUBLED,
  EVENT_DURING,
  EVENT_EIP,
  EVENT_FATE,
  EVENT_FAULT,
  EVENT_INTERPRETED,
  EVENT_INTERRUPT,
  EVENT_KIND,
  EVENT_MODE,
  EVENT_NOTHING,
  EVENT_SHUTDOWN,
  EVENT_SOFTWARE,
  EVENT_START,
  EVENT_TRANSLATED,
  EVENT_VECTOR,
  HISTORY_COUNT,
  HISTORY_ENTRIES,
  HISTORY_ENTRY_SIZE,
  HISTORY_FIRST,
} from '../assembly/shared/history';
import { AC_VECTOR, DF_VECTOR, PF_VECTOR, TS } from '../assembly/shared/faults';
import { HISTORY } from '../assembly/shared/layout';
import { MODE_CODE32 } from '../assembly/shared/modes';
import { hex } from './trace';

export type EventKind =
  'interpreted' | 'translated' | 'fault' | 'interrupt' | 'software' | 'branch' | 'unknown';

export interface Event {
  kind: EventKind;
  /** EIP of the instruction; of a block, of its first. */
  eip: number;
  /** CS's base. */
  base: number;
  /** 32-bit code. */
  wide: boolean;
  /** Of faults and interrupts only; `start` is EIP of the block that the instruction is in. */
  vector: number;
  selector: number;
  code: number;
  address: number;
  start: number;
  /** The vector whose delivery raised this fault. */
  during: number | undefined;
  fate: 'delivered' | 'doubled' | 'shutdown';
}

const KINDS: Record<number, EventKind> = {
  [EVENT_INTERPRETED]: 'interpreted',
  [EVENT_TRANSLATED]: 'translated',
  [EVENT_FAULT]: 'fault',
  [EVENT_INTERRUPT]: 'interrupt',
  [EVENT_SOFTWARE]: 'software',
  [EVENT_BRANCH]: 'branch',
};

/** Names of the processor's own vectors (SDM vol. 3A table 6-1). */
export const EXCEPTIONS: readonly string[] = [
  ...['#DE', '#DB', 'NMI', '#BP', '#OF', '#BR', '#UD', '#NM', '#DF', '9', '#TS', '#NP', '#SS'],
  ...['#GP', '#PF', '15', '#MF', '#AC', '#MC', '#XM'],
];

/** Oldest first. */
export function history(memory: WebAssembly.Memory): Event[] {
  const view = new DataView(memory.buffer, HISTORY, 0x1000);
  const count = view.getUint32(HISTORY_COUNT, true);
  const events: Event[] = [];
  for (let i = Math.max(0, count - HISTORY_ENTRIES); i < count; i++) {
    const at = HISTORY_FIRST + (i % HISTORY_ENTRIES) * HISTORY_ENTRY_SIZE;
    const word = (field: number): number => view.getUint32(at + field, true);
    const during = view.getUint8(at + EVENT_DURING);
    const fate = view.getUint8(at + EVENT_FATE);
    events.push({
      kind: KINDS[view.getUint8(at + EVENT_KIND)] ?? 'unknown',
      eip: word(EVENT_EIP),
      base: word(EVENT_BASE),
      wide: (word(EVENT_MODE) & MODE_CODE32) !== 0,
      vector: view.getUint8(at + EVENT_VECTOR),
      selector: word(EVENT_CS),
      code: word(EVENT_CODE),
      address: word(EVENT_ADDRESS),
      start: word(EVENT_START),
      during: during === EVENT_NOTHING ? undefined : during,
      fate: fate === EVENT_DOUBLED ? 'doubled' : fate === EVENT_SHUTDOWN ? 'shutdown' : 'delivered',
    });
  }
  return events;
}

/** What happened, without where: "#PF(0002) of c0ffee00 while #UD was delivered: #DF". */
export function describeEvent(event: Event): string {
  const { kind, vector, code, during, fate } = event;
  switch (kind) {
    case 'fault': {
      const hasCode =
        vector === DF_VECTOR || (vector >= TS && vector <= PF_VECTOR) || vector === AC_VECTOR;
      return [
        `${vectorName(vector)}${hasCode ? `(${hex(code, 4)})` : ''}`,
        vector === PF_VECTOR ? ` of ${hex(event.address, 8)}` : '',
        during === undefined ? '' : ` while ${vectorName(during)} was delivered`,
        fate === 'doubled' ? ': #DF' : fate === 'shutdown' ? ': shutdown' : '',
      ].join('');
    }
    case 'interrupt':
      return `interrupt ${vectorName(vector)}`;
    case 'software':
      return `INT ${vectorName(vector)}`;
    case 'branch':
      return 'branch to where nothing is';
    default:
      return kind;
  }
}

function vectorName(vector: number): string {
  return EXCEPTIONS[vector] ?? `0x${hex(vector, 2)}`;
}
