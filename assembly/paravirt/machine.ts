// VMI calls that the machine serves: time, alarms, the local APIC, power. One import for all.
import { EXCHANGE } from '../shared/layout';

/** Makes call `number`; the 64 bits of its result are left in EXCHANGE. */
export declare function vmiHost(number: u32, a: u32, b: u32, c: u32, d: u32, e: u32): void;

export function vmi_host(number: u32, a: u32, b: u32, c: u32, d: u32, e: u32): u64 {
  store<u64>(EXCHANGE, 0);
  vmiHost(number, a, b, c, d, e);
  return load<u64>(EXCHANGE);
}
