// The page walk: a linear address to a physical one, with rights, accessed and dirty bits
// (SDM vol. 3A chapter 4): 32-bit paging with 4 MiB pages, and PAE with NX.
import { CR0, CR3, CR4, MSR_EFER, PDPTE, RAM_BASE } from '../shared/layout';
import { PF_FETCH, PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE } from '../shared/faults';
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_GLOBAL,
  PTE_LARGE,
  PTE_PRESENT,
  PTE_USER,
  PTE_WRITE,
} from '../shared/paging';
import { notePageFault } from '../cpu/faults';
import { isRam, readPhysical32, readPhysical64, writePhysical32 } from './physical';

const CR0_WP: u32 = 0x10000;
const CR4_PSE: u32 = 0x10;
const CR4_PAE: u32 = 0x20;
const CR4_PGE: u32 = 0x80;
const EFER_NXE: u32 = 0x800;
/** PAE: bits above the 36 physical ones that must be clear, NX aside. */
const PAE_RESERVED: u64 = 0x7ffffff000000000;
const PAE_HIGH: u64 = PAE_RESERVED | (1 << 63);

/** Physical addresses of the entries the page was found through; the directory's twice for a large page. */
export let walkTable: u32 = 0;
export let walkDirectory: u32 = 0;
/** Physical address of the page, after walk() returned true. */
export let walkPage: u32 = 0;
/** May this privilege write the page, were it dirty? */
export let walkWritable: bool = false;
/** Is the dirty bit set (after this walk)? */
export let walkDirty: bool = false;
export let walkGlobal: bool = false;
export let walkNoExecute: bool = false;
/** Was it an entry of the directory (4 MiB, or 2 MiB with PAE)? */
export let walkLarge: bool = false;

function fail(linear: u32, access: u32, why: u32): bool {
  // The fetch bit is only reported when NX exists (SDM vol. 3A 4.7).
  if ((load<u32>(CR4) & CR4_PAE) == 0 || (load<u32>(MSR_EFER) & EFER_NXE) == 0) access &= ~PF_FETCH;
  notePageFault(linear, (access & (PF_WRITE | PF_USER | PF_FETCH)) | why);
  return false;
}

/**
 * Translates one page. `access` is a combination of PF_WRITE, PF_USER, PF_FETCH.
 * False: the fault is noted. The caller handles CR0.PG = 0.
 */
export function walk(linear: u32, access: u32): bool {
  if (load<u32>(CR4) & CR4_PAE) return walkPae(linear, access);
  const directory = (load<u32>(CR3) & ~0xfff) + ((linear >>> 22) << 2);
  const pde = readPhysical32(directory);
  walkTable = walkDirectory = directory;
  if ((pde & PTE_PRESENT) == 0) return fail(linear, access, 0);
  const large = (pde & PTE_LARGE) != 0 && (load<u32>(CR4) & CR4_PSE) != 0;
  walkNoExecute = false;
  walkLarge = large;
  if (large) {
    if (!allowed(linear, access, pde)) return false;
    const dirty = pde | PTE_ACCESSED | (access & PF_WRITE ? PTE_DIRTY : 0);
    if (dirty != pde) writePhysical32(directory, dirty);
    walkPage = (pde & 0xffc00000) | (linear & 0x3ff000);
    finish(dirty);
    return true;
  }
  const table = (pde & ~0xfff) + ((linear >>> 10) & 0xffc);
  walkTable = table;
  const pte = readPhysical32(table);
  if ((pte & PTE_PRESENT) == 0) return fail(linear, access, 0);
  if (!allowed(linear, access, pde & pte)) return false;
  if ((pde & PTE_ACCESSED) == 0) writePhysical32(directory, pde | PTE_ACCESSED);
  const dirty = pte | PTE_ACCESSED | (access & PF_WRITE ? PTE_DIRTY : 0);
  if (dirty != pte) writePhysical32(table, dirty);
  walkPage = pte & ~0xfff;
  finish(dirty);
  return true;
}

/**
 * The page that code at `linear` would be fetched from, or 0xFFFFFFFF; changes nothing, not even
 * accessed bits. The caller handles CR0.PG = 0.
 */
export function peekPage(linear: u32, user: bool): u32 {
  const none: u32 = 0xffffffff;
  const wanted: u32 = PTE_PRESENT | (user ? PTE_USER : 0);
  if (load<u32>(CR4) & CR4_PAE) {
    const pdpte = load<u64>(PDPTE + ((linear >>> 30) << 3));
    if ((pdpte & PTE_PRESENT) == 0) return none;
    const pde = peek64(((<u32>pdpte) & ~0xfff) + ((linear >>> 18) & 0xff8));
    // NX or a reserved bit.
    if (((<u32>pde) & wanted) != wanted || pde & PAE_HIGH) return none;
    if (pde & PTE_LARGE) return ((<u32>pde) & 0xffe00000) | (linear & 0x1ff000);
    const pte = peek64(((<u32>pde) & ~0xfff) + ((linear >>> 9) & 0xff8));
    if (((<u32>pte) & wanted) != wanted || pte & PAE_HIGH) return none;
    return (<u32>pte) & ~0xfff;
  }
  const pde = peek32((load<u32>(CR3) & ~0xfff) + ((linear >>> 22) << 2));
  if ((pde & wanted) != wanted) return none;
  if ((pde & PTE_LARGE) != 0 && (load<u32>(CR4) & CR4_PSE) != 0) {
    return (pde & 0xffc00000) | (linear & 0x3ff000);
  }
  const pte = peek32((pde & ~0xfff) + ((linear >>> 10) & 0xffc));
  return (pte & wanted) == wanted ? pte & ~0xfff : none;
}

/** A read that no device sees; 0, not present, where there is no RAM. */
function peek32(physical: u32): u32 {
  return isRam(physical) ? load<u32>(RAM_BASE + physical) : 0;
}
function peek64(physical: u32): u64 {
  return isRam(physical) ? load<u64>(RAM_BASE + physical) : 0;
}

/** Checks rights, `rights` being the AND of all levels' entries; sets walkWritable. */
function allowed(linear: u32, access: u32, rights: u32): bool {
  if (access & PF_USER) {
    if ((rights & PTE_USER) == 0) return fail(linear, access, PF_PRESENT);
    walkWritable = (rights & PTE_WRITE) != 0;
  } else {
    walkWritable = (rights & PTE_WRITE) != 0 || (load<u32>(CR0) & CR0_WP) == 0;
  }
  if (access & PF_WRITE && !walkWritable) return fail(linear, access, PF_PRESENT);
  return true;
}

function finish(entry: u32): void {
  walkDirty = (entry & PTE_DIRTY) != 0;
  walkGlobal = (entry & PTE_GLOBAL) != 0 && (load<u32>(CR4) & CR4_PGE) != 0;
}

function walkPae(linear: u32, access: u32): bool {
  const pdpte = load<u64>(PDPTE + ((linear >>> 30) << 3));
  if ((pdpte & PTE_PRESENT) == 0) return fail(linear, access, 0);
  const nxe = (load<u32>(MSR_EFER) & EFER_NXE) != 0;
  const reserved: u64 = nxe ? PAE_RESERVED : PAE_RESERVED | (1 << 63);
  const directory = ((<u32>pdpte) & ~0xfff) + ((linear >>> 18) & 0xff8);
  const pde = readPhysical64(directory);
  walkTable = walkDirectory = directory;
  if ((pde & PTE_PRESENT) == 0) return fail(linear, access, 0);
  if (pde & reserved) return fail(linear, access, PF_PRESENT | PF_RESERVED);
  walkLarge = (pde & PTE_LARGE) != 0;
  if (walkLarge) {
    // Bits 13 to 20 of a 2 MiB entry are reserved.
    if (pde & 0x1fe000) return fail(linear, access, PF_PRESENT | PF_RESERVED);
    walkNoExecute = pde >> 63 != 0;
    if (access & PF_FETCH && walkNoExecute) return fail(linear, access, PF_PRESENT);
    if (!allowed(linear, access, <u32>pde)) return false;
    const dirty = (<u32>pde) | PTE_ACCESSED | (access & PF_WRITE ? PTE_DIRTY : 0);
    if (dirty != <u32>pde) writePhysical32(directory, dirty);
    walkPage = ((<u32>pde) & 0xffe00000) | (linear & 0x1ff000);
    finish(dirty);
    return true;
  }
  const table = ((<u32>pde) & ~0xfff) + ((linear >>> 9) & 0xff8);
  walkTable = table;
  const pte = readPhysical64(table);
  if ((pte & PTE_PRESENT) == 0) return fail(linear, access, 0);
  if (pte & reserved) return fail(linear, access, PF_PRESENT | PF_RESERVED);
  walkNoExecute = (pde | pte) >> 63 != 0;
  if (access & PF_FETCH && walkNoExecute) return fail(linear, access, PF_PRESENT);
  if (!allowed(linear, access, (<u32>pde) & (<u32>pte))) return false;
  if ((pde & PTE_ACCESSED) == 0) writePhysical32(directory, (<u32>pde) | PTE_ACCESSED);
  const dirty = (<u32>pte) | PTE_ACCESSED | (access & PF_WRITE ? PTE_DIRTY : 0);
  if (dirty != <u32>pte) writePhysical32(table, dirty);
  walkPage = (<u32>pte) & ~0xfff;
  finish(dirty);
  return true;
}
