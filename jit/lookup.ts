/**
 * Where the entries of a region stand in its lookup table. The code looks at two places at most, the
 * one that a hash of the EIP gives and the one behind it, without a loop: indirect branches and returns
 * are one instruction in thirty. So the hash is chosen for the region's entries.
 */

/** Sizes of a table are tried from this many places, and from two for an entry, up to sixteen. */
const LEAST_BITS = 3;
const LARGER = 4;
const SHIFTS = 16;

/** An entry that only the second place is left for, and one that none is. */
const COST_SECOND = 1;
const COST_LOST = 16;

export interface Lookup {
  shift: number;
  /** One less than the places that the hash gives; behind them there is one more. */
  mask: number;
  /** By place: index of the entry, or NONE. */
  places: Int32Array;
}

export const NONE = -1;

/** Hash of the lookup table: EIP to place. */
export function lookupPlace(eip: number, { shift, mask }: Pick<Lookup, 'shift' | 'mask'>): number {
  return (eip ^ (eip >>> shift)) & mask;
}

/**
 * An address for a place that nothing stands in: looking it up never comes there. Nothing may be found
 * by the mark of what is free, since a guest may branch to any address.
 */
export function strangerTo(place: number, lookup: Lookup): number {
  for (let eip = 0; ; eip++) {
    const first = lookupPlace(eip, lookup);
    if (first !== place && first + 1 !== place) return eip;
  }
}

/** The table for entries at these addresses, as small as can be if none has to stand behind its place. */
export function planLookup(eips: readonly number[]): Lookup {
  let bits = LEAST_BITS;
  while (1 << bits < 2 * eips.length) bits++;
  let best: Lookup | undefined;
  let least = Infinity;
  for (const last = bits + LARGER; bits < last && least > 0; bits++) {
    const mask = (1 << bits) - 1;
    const places = new Int32Array(mask + 2);
    for (let shift = 1; shift <= SHIFTS && least > 0; shift++) {
      const cost = put(eips, { shift, mask, places }, least);
      if (cost >= least) continue;
      least = cost;
      best = { shift, mask, places: places.slice() };
    }
  }
  return best!;
}

/** Puts entries into places; gives what that costs, or `limit` if it is no less. */
function put(eips: readonly number[], lookup: Lookup, limit: number): number {
  const { places } = lookup;
  places.fill(NONE);
  let cost = 0;
  for (let i = 0; i < eips.length && cost < limit; i++) {
    let place = lookupPlace(eips[i]!, lookup);
    if (places[place] !== NONE) {
      place++;
      cost += places[place] === NONE ? COST_SECOND : COST_LOST;
      // It is found by the run loop then.
      if (places[place] !== NONE) continue;
    }
    places[place] = i;
  }
  return cost < limit ? cost : limit;
}
