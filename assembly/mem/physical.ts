// Guest physical memory: RAM and ROM in linear memory, everything else through the host.
// The caller has a physical address; linear addresses are access.ts's and tlb.ts's.
import { PAGE_INFO, RAM_BASE } from '../shared/layout';
import { PAGE_RAM } from '../shared/paging';
import { codeOverlaps, invalidateCode } from './codepages';

export declare function mmioRead(address: u32, size: u32): u32;
export declare function mmioWrite(address: u32, size: u32, value: u32): void;

export function pageInfo(physical: u32): u32 {
  return load<u32>(PAGE_INFO + ((physical >>> 12) << 2));
}

export function isRam(physical: u32): bool {
  return (pageInfo(physical) & PAGE_RAM) != 0;
}

/** Page-table reads; an address outside memory reads as the bus does. */
export function readPhysical32(physical: u32): u32 {
  return isRam(physical) ? load<u32>(RAM_BASE + physical) : mmioRead(physical, 4);
}

export function readPhysical64(physical: u32): u64 {
  return isRam(physical)
    ? load<u64>(RAM_BASE + physical)
    : ((<u64>mmioRead(physical + 4, 4)) << 32) | (<u64>mmioRead(physical, 4));
}

/** Page-table writes (accessed and dirty bits). */
export function writePhysical32(physical: u32, value: u32): void {
  if (!isRam(physical)) {
    mmioWrite(physical, 4, value);
    return;
  }
  if (codeOverlaps(physical, 4)) invalidateCode(physical, 4);
  store<u32>(RAM_BASE + physical, value);
}
