/** The ways a VMI call is made: by the ROM's routine, interpreted or translated, or directly. */
import { Guest, type GuestOptions } from './guest.ts';

export const VMI_TIERS = {
  interpreted: { jit: false },
  'translated, the call made directly': { jit: true },
  'translated, through the ROM': { jit: true, vmi: { direct: false } },
} satisfies Record<string, GuestOptions>;

export type VmiTier = keyof typeof VMI_TIERS;
export const VMI_TIER_NAMES = Object.keys(VMI_TIERS) as VmiTier[];

export function guestOf(tier: VmiTier, options: GuestOptions = {}): Promise<Guest> {
  const { vmi, ...rest } = VMI_TIERS[tier] as GuestOptions;
  return Guest.create({ ...rest, ...options, vmi: { ...vmi, ...options.vmi } });
}
