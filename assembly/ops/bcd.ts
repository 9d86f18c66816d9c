// Decimal adjustment, SALC and XLAT (SDM vol. 2A AAA to AAS, DAA, DAS; vol. 2B XLAT).
// Flags the manual leaves undefined are what P6 processors make of them: those of the last
// addition, AAA and AAS excepted, whose OF, SF, ZF and PF come from AL.
import { EAX, EBX } from '../shared/layout';
import { AF, CF, PF, SF, ZF } from '../shared/flags';
import { DE } from '../shared/faults';
import { read8 } from '../mem/access';
import { raise } from '../cpu/faults';
import { linearAddress } from '../cpu/segments';
import { carry, getFlags, setFlags } from './flags';

function resultFlags(al: u32): u32 {
  return (al & SF) | (al & 0xff ? 0 : ZF) | (popcnt(al & 0xff) & 1 ? 0 : PF);
}

export function daa(): void {
  const old: u32 = load<u8>(EAX);
  const before = getFlags();
  let al = old;
  let bits: u32 = 0;
  if ((old & 15) > 9 || before & AF) {
    al += 6;
    bits |= AF;
  }
  if (old > 0x99 || before & CF) {
    al += 0x60;
    bits |= CF;
  }
  store<u8>(EAX, al);
  setFlags(bits | resultFlags(al));
}

export function das(): void {
  const old: u32 = load<u8>(EAX);
  const before = getFlags();
  let al = old;
  let bits: u32 = 0;
  if ((old & 15) > 9 || before & AF) {
    al -= 6;
    bits |= AF;
    // A borrow out of this step counts too.
    if (before & CF || old < 6) bits |= CF;
  }
  if (old > 0x99 || before & CF) {
    al -= 0x60;
    bits |= CF;
  }
  store<u8>(EAX, al);
  setFlags(bits | resultFlags(al));
}

export function aaa(): void {
  adjust(0x106);
}

export function aas(): void {
  adjust(-0x106);
}

function adjust(step: i32): void {
  let ax: u32 = load<u16>(EAX);
  let bits: u32 = 0;
  if ((ax & 15) > 9 || getFlags() & AF) {
    ax += step;
    bits = AF | CF;
  }
  ax &= 0xff0f;
  store<u16>(EAX, ax);
  setFlags(bits | resultFlags(ax & 0xff));
}

export function aam(base: i32): void {
  const divisor = (<u32>base) & 0xff;
  if (divisor == 0) raise(DE, 0);
  const al: u32 = load<u8>(EAX);
  const rest = al % divisor;
  store<u16>(EAX, ((al / divisor) << 8) | rest);
  setFlags(resultFlags(rest));
}

export function aad(base: i32): void {
  const ax: u32 = load<u16>(EAX);
  const al = ((ax & 0xff) + (ax >>> 8) * ((<u32>base) & 0xff)) & 0xff;
  store<u16>(EAX, al);
  setFlags(resultFlags(al));
}

/** SALC (undocumented, D6): AL = CF ? FFH : 0. */
export function salc(): void {
  store<u8>(EAX, carry() ? 0xff : 0);
}

/** `context`: prefixes, see isa/maps.ts X. */
export function xlat(context: i32): void {
  let offset: u32 = load<u32>(EBX) + load<u8>(EAX);
  if (context & 4) offset &= 0xffff;
  const linear = linearAddress((context >>> 4) & 7, offset, 1, false);
  store<u8>(EAX, read8(linear));
}
